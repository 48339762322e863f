using System.Text.Json;
using Dti.Engine.Imaging;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// A linear map from latents to colours: a small image without the autoencoder. It is fitted by least squares to what
/// latents decode to, and gives colours and rough shapes. A model's folder may say its own (<c>dti.json</c>), under
/// ComfyUI's names: <c>{"latent_rgb_factors": [[r, g, b], …], "latent_rgb_factors_bias": [r, g, b]}</c>, a row for each
/// latent channel.
/// </summary>
/// <param name="Factors">(C, 3): what a channel, scaled as the denoiser sees it, adds to red, green and blue in [−1,
/// 1].</param>
/// <param name="Bias">(3)</param>
internal sealed record LatentRgbFactors(float[,] Factors, float[] Bias)
{
    /// <summary>The rows.</summary>
    public const string Key = "latent_rgb_factors";

    private const string BiasKey = "latent_rgb_factors_bias";
    private const double XLScaling = 0.13025;

    // The numbers are ComfyUI's (comfy/latent_formats.py: SD15, SDXL), for scaled latents.
    private static readonly LatentRgbFactors _stableDiffusion = new(
        new[,]
        {
            { 0.3512f, 0.2297f, 0.3227f },
            { 0.3250f, 0.4974f, 0.2350f },
            { -0.2829f, 0.1762f, 0.2721f },
            { -0.2120f, -0.2616f, -0.7177f },
        },
        [0, 0, 0]
    );

    private static readonly LatentRgbFactors _stableDiffusionXL = new(
        new[,]
        {
            { 0.3651f, 0.4232f, 0.4341f },
            { -0.2533f, -0.0042f, 0.1068f },
            { 0.1076f, 0.1111f, -0.0362f },
            { -0.3165f, -0.2492f, -0.2188f },
        },
        [0.1084f, -0.0175f, -0.0011f]
    );

    /// <summary>
    /// The map of a model: what its folder says, else that of the published autoencoder whose scaling factor it has;
    /// null: none is known.
    /// </summary>
    /// <param name="notes">What its folder says.</param>
    /// <param name="vae">Its autoencoder; null: it has none of that kind.</param>
    /// <param name="channels">Of its latents; null: they are not known.</param>
    /// <exception cref="DtiException">What its folder says does not go with its latents.</exception>
    public static LatentRgbFactors? Of(ModelNotes notes, AutoencoderKLConfig? vae, int? channels)
    {
        if (channels is not { } count)
        {
            return null;
        }

        if (notes.Find(Key, JsonValueKind.Array) is not { } rows)
        {
            return (vae?.LatentChannels, vae?.ScalingFactor, vae?.Statistics) switch
            {
                (4, 0.18215, null) => _stableDiffusion,
                (4, XLScaling, null) => _stableDiffusionXL,
                (4, { } scaling, { } statistics) => _stableDiffusionXL.Of(statistics, scaling),
                _ => null,
            };
        }

        if (rows.GetArrayLength() != count)
        {
            throw notes.Bad($"{Key} has {rows.GetArrayLength()} rows; the latents have {count} channels");
        }

        var factors = new float[count, 3];
        foreach (var (channel, row) in rows.EnumerateArray().Index())
        {
            var colour = Colour(notes, Key, row);
            (factors[channel, 0], factors[channel, 1], factors[channel, 2]) = (colour[0], colour[1], colour[2]);
        }

        return new LatentRgbFactors(
            factors,
            notes.Find(BiasKey, JsonValueKind.Array) is { } bias ? Colour(notes, BiasKey, bias) : [0, 0, 0]
        );
    }

    /// <summary>The image of latents, a pixel for each.</summary>
    /// <param name="latents">(1, C, h, w) fp32 on the CPU.</param>
    public RgbImage Draw(Tensor latents)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var colours = tensor(Factors).t().mm(latents[0].flatten(1)) + tensor(Bias).unsqueeze(1); // (3, h·w)
        return RgbImage.FromTensor(((colours / 2) + 0.5).view(3, latents.shape[2], latents.shape[3]));
    }

    /// <summary>
    /// XL's map for the same autoencoder's latents, standardized before they are scaled (Playground 2.5).
    /// </summary>
    private LatentRgbFactors Of(LatentStatistics statistics, double scaling)
    {
        var (factors, bias) = ((float[,])Factors.Clone(), (float[])Bias.Clone());
        for (var channel = 0; channel < factors.GetLength(0); channel++)
        {
            for (var colour = 0; colour < bias.Length; colour++)
            {
                bias[colour] += (float)(Factors[channel, colour] * XLScaling * statistics.Mean[channel]);
                factors[channel, colour] *= (float)(XLScaling * statistics.Deviation[channel] / scaling);
            }
        }

        return new LatentRgbFactors(factors, bias);
    }

    private static float[] Colour(ModelNotes notes, string key, JsonElement list) =>
        list.ValueKind == JsonValueKind.Array
        && list.GetArrayLength() == 3
        && list.EnumerateArray()
            .All(value => value.ValueKind == JsonValueKind.Number && Math.Abs(value.GetDouble()) <= 100)
            ? [.. list.EnumerateArray().Select(value => value.GetSingle())]
            : throw notes.Bad($"{key} must hold three numbers for each colour, from -100 to 100");
}
