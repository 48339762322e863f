using System.Text.RegularExpressions;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// What kind of file tensors are from, by their names, where that is neither a model nor an embedding that Dti reads.
/// </summary>
internal static partial class TensorKinds
{
    /// <summary>A LoRA, or another adapter of the same use.</summary>
    public const string Lora = "a LoRA";

    /// <summary>A whole model, or most of one.</summary>
    public const string Model = "a checkpoint";

    // The first that fits is named.
    private static readonly (Regex Name, string Kind)[] _kinds =
    [
        (Adapter(), Lora),
        (Hypernetwork(), "a hypernetwork"),
        (Control(), "a ControlNet or a T2I adapter"),
        (ImagePrompt(), "an IP-Adapter"),
        (Checkpoint(), Model),
        (UNet(), "a UNet alone"),
        (Autoencoder(), "an autoencoder alone"),
        (TextEncoder(), "a text encoder alone"),
    ];

    /// <summary>The kind, a noun phrase; null: the names tell of none.</summary>
    public static string? Of(IReadOnlyCollection<string> names) =>
        Array.Find(_kinds, kind => names.Any(name => kind.Name.IsMatch(name))).Kind;

    [GeneratedRegex(
        @"\A((lora|lycoris)_(unet|te\d?|transformer|prior)_|unet:\d|text_encoder:\d)"
            + @"|\.(lora_(up|down|mid|A|B)|lora\.(up|down)|hada_w[12]_[ab]|lokr_w[12](_[ab])?|dora_scale)(\.|\z)"
            + @"|\.(oft_(blocks|diag)|on_input|diff_b?)(\.|\z)"
            + @"|\.processor\.to_[qkvout]+_lora\.",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Adapter();

    [GeneratedRegex(@"\A(320|640|768|1024|1280)[._]\d+[._]|\Ahypernet", RegexOptions.CultureInvariant)]
    private static partial Regex Hypernetwork();

    [GeneratedRegex(
        @"\A(control_model\.|controlnet_|input_hint_block\.|adapter\.|body\.\d|zero_convs\.)",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Control();

    [GeneratedRegex(@"\A(image_proj|ip_adapter)\.", RegexOptions.CultureInvariant)]
    private static partial Regex ImagePrompt();

    [GeneratedRegex(
        @"\A(model\.diffusion_model|model_ema|cond_stage_model|conditioner\.embedders|first_stage_model)\."
            + @"|\A(joint_blocks|double_blocks|text_encoders)\.",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Checkpoint();

    [GeneratedRegex(
        @"\A(down_blocks|up_blocks|mid_block|input_blocks|output_blocks|middle_block|time_embedding|conv_in|conv_out)\.",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex UNet();

    [GeneratedRegex(@"\A(encoder|decoder|quant_conv|post_quant_conv)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Autoencoder();

    [GeneratedRegex(@"\A(text_model|transformer\.resblocks|token_embedding|shared)\.", RegexOptions.CultureInvariant)]
    private static partial Regex TextEncoder();
}
