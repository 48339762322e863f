using System.Text.Json;
using System.Text.Json.Nodes;
using Dti.Engine.Checkpoints;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>Configs of Stable Diffusion as diffusers and transformers write them.</summary>
internal static class DiffusersConfigs
{
    /// <summary>How their files are spelt.</summary>
    public static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true };

    /// <summary>A component's config with the class that loads it.</summary>
    public static JsonObject Component(string component, JsonElement config)
    {
        var json = JsonObject.Create(config)!;
        if (component is "unet" or "vae")
        {
            json["_class_name"] = ClassOf(component);
        }
        else
        {
            json["architectures"] = new JsonArray(ClassOf(component));
            json["model_type"] = "clip_text_model";
        }

        return json;
    }

    /// <summary><c>model_index.json</c>.</summary>
    public static JsonObject Index(Checkpoint checkpoint)
    {
        var xl = checkpoint.TextEncoders.Count > 1;
        var json = new JsonObject
        {
            ["_class_name"] = xl ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline",
            ["feature_extractor"] = Entry(null, null),
        };
        if (xl)
        {
            json["force_zeros_for_empty_prompt"] = StableDiffusionPipelines.ForcesZeros(checkpoint);
            json["image_encoder"] = Entry(null, null);
        }
        else
        {
            json["requires_safety_checker"] = false;
            json["safety_checker"] = Entry(null, null);
        }

        json["scheduler"] = Entry(
            "diffusers",
            checkpoint.ReadConfig("scheduler").GetProperty("_class_name").GetString()
        );
        foreach (var encoder in checkpoint.TextEncoders)
        {
            json[encoder] = Entry("transformers", ClassOf(encoder));
            json[Checkpoint.TokenizerOf(encoder)] = Entry("transformers", "CLIPTokenizer");
        }

        json["unet"] = Entry("diffusers", ClassOf("unet"));
        json["vae"] = Entry("diffusers", ClassOf("vae"));
        return json;
    }

    private static JsonArray Entry(string? library, string? name) => new(library, name);

    private static string ClassOf(string component) =>
        component switch
        {
            "unet" => "UNet2DConditionModel",
            "vae" => "AutoencoderKL",
            "text_encoder_2" => "CLIPTextModelWithProjection",
            _ => "CLIPTextModel",
        };
}
