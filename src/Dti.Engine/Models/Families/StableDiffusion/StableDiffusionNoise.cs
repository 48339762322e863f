using System.Text.Json;
using Dti.Engine.Schedulers;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>The noise processes that models of Stable Diffusion's architecture were trained with.</summary>
internal static class StableDiffusionNoise
{
    /// <summary>Reads a <c>scheduler_config.json</c>: DDPM, or EDM (Playground 2.5, CosXL), by its class.</summary>
    /// <exception cref="DtiException">The class, a key or a value is not supported; the message names it.</exception>
    public static NoiseProcessConfig Parse(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object
        && json.TryGetProperty("_class_name", out var name)
        && name.ValueKind == JsonValueKind.String
        && SchedulerClasses.Edm.ContainsKey(name.GetString()!)
            ? EdmConfig.Parse(json)
            : SchedulerConfig.Parse(json);
}
