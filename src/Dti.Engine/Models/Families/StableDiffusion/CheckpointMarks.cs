using Dti.Engine.Checkpoints;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>
/// How single files say what they were trained for: small tensors beside those of the components, and
/// <c>modelspec.*</c> metadata. Each mark is read, known to say nothing new, or refuses the file by its name.
/// <c>docs/formats.md</c> shows the same table.
/// </summary>
internal static class CheckpointMarks
{
    /// <summary>The model predicts v (NoobAI-XL v-pred and its merges).</summary>
    public const string VPrediction = "v_pred";

    /// <summary>Its last training step has no signal (arXiv 2305.08891).</summary>
    public const string ZeroTerminalSnr = "ztsnr";

    /// <summary>What the model predicts.</summary>
    public const string PredictionKey = "modelspec.prediction_type";

    private const string ArchitectureKey = "modelspec.architecture";

    /// <summary>Marks of what is not implemented, and what they say.</summary>
    public static IReadOnlyDictionary<string, string> Refused { get; } =
        new Dictionary<string, string>
        {
            ["scaled_fp8"] = "its float8 weights have scales of their own; use the fp16 file",
        };

    // The noise schedule, as the original code saved it: what the family's config says, too.
    private static readonly HashSet<string> _buffers = new(StringComparer.Ordinal)
    {
        "alphas_cumprod",
        "alphas_cumprod_prev",
        "betas",
        "log_one_minus_alphas_cumprod",
        "logvar",
        "lvlb_weights",
        "posterior_log_variance_clipped",
        "posterior_mean_coef1",
        "posterior_mean_coef2",
        "posterior_variance",
        "scale_factor",
        "sqrt_alphas_cumprod",
        "sqrt_one_minus_alphas_cumprod",
        "sqrt_recip_alphas_cumprod",
        "sqrt_recipm1_alphas_cumprod",
    };

    private static readonly string[] _others =
    [
        "refiner",
        "inpaint",
        "pix2pix",
        "edit",
        "lora",
        "textual-inversion",
        "hypernetwork",
        "control",
    ];

    private static readonly string[] _scales = [".scale_weight", ".scale_input", ".weight_scale", ".input_scale"];

    /// <summary>Refuses a file that says of itself what is not implemented, or what is not known.</summary>
    /// <param name="file">The file.</param>
    /// <param name="isXL">It is of SDXL, for which alone there are marks of EDM.</param>
    /// <exception cref="DtiException">It does; the message names the mark.</exception>
    public static void Check(SafetensorsFile file, bool isXL)
    {
        foreach (var name in file.Tensors.Keys.Order(StringComparer.Ordinal))
        {
            if (Refused.TryGetValue(name, out var why))
            {
                throw UnsupportedFiles.Refused(file, $"it is marked '{name}': {why}");
            }

            if (Array.Exists(_scales, scale => name.EndsWith(scale, StringComparison.Ordinal)))
            {
                throw UnsupportedFiles.Refused(file, $"it holds '{name}': {Refused["scaled_fp8"]}");
            }

            if (
                EdmMarks.All.Contains(name)
                    ? !isXL
                    : !name.Contains('.', StringComparison.Ordinal)
                        && name is not (VPrediction or ZeroTerminalSnr)
                        && !_buffers.Contains(name)
            )
            {
                throw UnsupportedFiles.Refused(
                    file,
                    $"it is marked '{name}', which may change what it predicts and is not known"
                );
            }
        }

        EdmMarks.Check(file);
        if (file.Tensors.ContainsKey(ZeroTerminalSnr) && EdmMarks.IsMarked(file))
        {
            throw UnsupportedFiles.Refused(
                file,
                $"it is marked '{ZeroTerminalSnr}', which is of DDPM, and as trained with EDM"
            );
        }

        if (
            file.Metadata.GetValueOrDefault(PredictionKey) is { Length: > 0 } prediction
            && prediction is not ("v" or "v_prediction" or "epsilon")
        )
        {
            throw UnsupportedFiles.Refused(
                file,
                $"its metadata says {PredictionKey} '{Short(prediction)}'; v and epsilon are supported"
            );
        }

        var architecture = file.Metadata.GetValueOrDefault(ArchitectureKey, "");
        foreach (var other in _others)
        {
            if (architecture.Contains(other, StringComparison.OrdinalIgnoreCase))
            {
                throw UnsupportedFiles.Refused(file, $"its metadata says {ArchitectureKey} '{Short(architecture)}'");
            }
        }

        if (file.Tensors.ContainsKey(ZeroTerminalSnr) && !PredictsV(file))
        {
            throw UnsupportedFiles.Refused(
                file,
                $"it is marked '{ZeroTerminalSnr}' and not '{VPrediction}'; without any signal, noise tells nothing of the image"
            );
        }
    }

    /// <summary>Whether a file is marked as predicting v, by metadata first.</summary>
    public static bool PredictsV(SafetensorsFile file) =>
        file.Metadata.GetValueOrDefault(PredictionKey) switch
        {
            "v" or "v_prediction" => true,
            "epsilon" => false,
            _ => file.Tensors.ContainsKey(VPrediction),
        };

    private static string Short(string text) => text.Length > 60 ? text[..60] + "…" : text;
}
