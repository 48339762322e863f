using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Files;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Models;

/// <summary>Writes components in the layout of diffusers, weights in F16.</summary>
internal static class ModelExport
{
    public static void TextEncoder(ClipTextConfig config, IReadOnlyDictionary<string, Tensor> weights) =>
        Component(
            "text_encoder",
            weights,
            new Dictionary<string, object>
            {
                ["architectures"] = (string[])["CLIPTextModel"],
                ["bos_token_id"] = config.VocabSize - 2,
                ["eos_token_id"] = config.EosTokenId,
                ["pad_token_id"] = config.EosTokenId,
                ["hidden_act"] = config.QuickGelu ? "quick_gelu" : "gelu",
                ["hidden_size"] = config.HiddenSize,
                ["initializer_range"] = 0.02,
                ["intermediate_size"] = config.IntermediateSize,
                ["layer_norm_eps"] = config.LayerNormEps,
                ["max_position_embeddings"] = config.MaxPositionEmbeddings,
                ["model_type"] = "clip_text_model",
                ["num_attention_heads"] = config.NumAttentionHeads,
                ["num_hidden_layers"] = config.NumHiddenLayers,
                ["projection_dim"] = config.HiddenSize,
                ["vocab_size"] = config.VocabSize,
            }
        );

    public static void Vae(
        AutoencoderKLConfig config,
        double scalingFactor,
        IReadOnlyDictionary<string, Tensor> weights
    ) =>
        Component(
            "vae",
            weights,
            new Dictionary<string, object>
            {
                ["_class_name"] = "AutoencoderKL",
                ["act_fn"] = "silu",
                ["block_out_channels"] = config.BlockOutChannels,
                ["down_block_types"] = Enumerable.Repeat("DownEncoderBlock2D", config.BlockOutChannels.Length),
                ["up_block_types"] = Enumerable.Repeat("UpDecoderBlock2D", config.BlockOutChannels.Length),
                ["force_upcast"] = false,
                ["in_channels"] = 3,
                ["out_channels"] = 3,
                ["latent_channels"] = config.LatentChannels,
                ["layers_per_block"] = config.LayersPerBlock,
                ["norm_num_groups"] = config.NormNumGroups,
                ["sample_size"] = World.SceneRenderer.Side,
                ["scaling_factor"] = Math.Round(scalingFactor, 5),
            }
        );

    public static void UNet(UNet2DConditionConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        Component(
            "unet",
            weights,
            new Dictionary<string, object>
            {
                ["_class_name"] = "UNet2DConditionModel",
                ["act_fn"] = "silu",
                ["attention_head_dim"] = config.NumAttentionHeads,
                ["block_out_channels"] = config.BlockOutChannels,
                ["cross_attention_dim"] = config.CrossAttentionDim,
                ["down_block_types"] = config.DownAttention.Select(attends =>
                    attends ? "CrossAttnDownBlock2D" : "DownBlock2D"
                ),
                ["up_block_types"] = config.UpAttention.Select(attends => attends ? "CrossAttnUpBlock2D" : "UpBlock2D"),
                ["flip_sin_to_cos"] = config.FlipSinToCos,
                ["freq_shift"] = config.FreqShift,
                ["in_channels"] = config.InChannels,
                ["out_channels"] = config.OutChannels,
                ["layers_per_block"] = config.LayersPerBlock,
                ["norm_eps"] = config.NormEps,
                ["norm_num_groups"] = config.NormNumGroups,
                ["sample_size"] = config.SampleSize,
                ["use_linear_projection"] = config.UseLinearProjection,
            }
        );
        Json(
            Path.Combine("scheduler", "scheduler_config.json"),
            new Dictionary<string, object>
            {
                ["_class_name"] = "DDIMScheduler",
                ["beta_start"] = 0.00085,
                ["beta_end"] = 0.012,
                ["beta_schedule"] = "scaled_linear",
                ["clip_sample"] = false,
                ["num_train_timesteps"] = 1000,
                ["prediction_type"] = "v_prediction",
                ["set_alpha_to_one"] = false,
                ["steps_offset"] = 1,
                ["timestep_spacing"] = "leading",
            }
        );
        Json(
            "model_index.json",
            new Dictionary<string, object>
            {
                ["_class_name"] = "StableDiffusionPipeline",
                ["_diffusers_version"] = "0.35.0",
                ["feature_extractor"] = (string?[])[null, null],
                ["image_encoder"] = (string?[])[null, null],
                ["requires_safety_checker"] = false,
                ["safety_checker"] = (string?[])[null, null],
                ["scheduler"] = (string[])["diffusers", "DDIMScheduler"],
                ["text_encoder"] = (string[])["transformers", "CLIPTextModel"],
                ["tokenizer"] = (string[])["transformers", "CLIPTokenizer"],
                ["unet"] = (string[])["diffusers", "UNet2DConditionModel"],
                ["vae"] = (string[])["diffusers", "AutoencoderKL"],
            }
        );
    }

    public static void PhotoEncoder(PhotoEncoderConfig config, IReadOnlyDictionary<string, Tensor> weights) =>
        Component(
            PhotoEncoderConfig.Component,
            weights,
            new Dictionary<string, object>
            {
                ["_class_name"] = PhotoEncoderConfig.ClassName,
                ["block_out_channels"] = config.BlockOutChannels,
                ["embedding_dims"] = config.EmbeddingDims,
                ["in_channels"] = config.InChannels,
                ["layers_per_block"] = config.LayersPerBlock,
                ["norm_num_groups"] = config.NormNumGroups,
            }
        );

    public static void Judge(IReadOnlyDictionary<string, Tensor> weights, string file)
    {
        using var scope = NewDisposeScope();
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        SafetensorsWriter.Write(
            file,
            weights.ToDictionary(pair => pair.Key, pair => pair.Value.to(ScalarType.Float16))
        );
    }

    private static void Component(
        string component,
        IReadOnlyDictionary<string, Tensor> weights,
        Dictionary<string, object> config
    )
    {
        using var scope = NewDisposeScope();
        Json(Path.Combine(component, "config.json"), config);
        SafetensorsWriter.Write(
            MiniWorld.WeightsOf(component),
            weights.ToDictionary(pair => pair.Key, pair => pair.Value.to(ScalarType.Float16)),
            new Dictionary<string, string> { ["format"] = "pt" }
        );
    }

    private static void Json(string file, Dictionary<string, object> values)
    {
        var path = Path.Combine(MiniWorld.ModelFolder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteAllText(path, JsonSerializer.Serialize(values, DiffusersConfigs.Indented) + "\n");
    }
}
