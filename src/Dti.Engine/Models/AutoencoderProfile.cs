using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// What is known, without loading its weights, of an autoencoder that can take the place of a model's own: a folder or
/// a file in diffusers' layout, or a file in the original one. Thread-safe.
/// </summary>
public sealed class AutoencoderProfile
{
    private const string ConfigFile = "config.json";
    private const string Telling = "decoder.conv_in.weight"; // in either layout
    private readonly AutoencoderKLConfig? _config; // a single file has none

    private AutoencoderProfile(string path)
    {
        Path = System.IO.Path.GetFullPath(path);
        if (IsFolder(Path))
        {
            using var json = BoundedJson.Read(System.IO.Path.Combine(Path, ConfigFile));
            _config = AutoencoderKLConfig.Parse(new ComponentConfig($"{Name}/{ConfigFile}", json.RootElement));
        }
        else
        {
            using var file = SafetensorsFile.Open(Path);
            if (!file.Tensors.ContainsKey(Telling) && !file.Tensors.ContainsKey(OriginalLayout.VaePrefix + Telling))
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{Path} is not an autoencoder (VAE) of Stable Diffusion 1.x, 2.x or XL."
                );
            }
        }
    }

    /// <summary>The folder's name, or the file's without its ending.</summary>
    public string Name =>
        File.Exists(Path)
            ? System.IO.Path.GetFileNameWithoutExtension(Path)
            : System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(Path));

    /// <summary>The folder, or the single file.</summary>
    public string Path { get; }

    /// <summary>
    /// Whether a path looks like an autoencoder: a folder with a <c>config.json</c>, or a safetensors file.
    /// </summary>
    public static bool IsAutoencoder(string path) =>
        IsFolder(path) || (SingleFileCheckpoint.HasExtension(path) && RegularFile.Is(path));

    /// <summary>Reads config and headers.</summary>
    /// <exception cref="DtiException">It is no autoencoder, or not of a supported kind.</exception>
    public static AutoencoderProfile Read(string path) => new(path);

    /// <summary>Its config, or where it has none the model's; its tensors are checked against that.</summary>
    /// <exception cref="DtiException">It does not go with the model; the message says why.</exception>
    internal AutoencoderKLConfig ConfigFor(ModelProfile model)
    {
        var own = model.Autoencoder
            ?? throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"Model '{model.Name}' has no autoencoder that another can replace."
            );
        var config = _config ?? own;
        try
        {
            if (
                (config.LatentChannels, config.ScaleFactor, config.ScalingFactor, config.Statistics)
                != (own.LatentChannels, own.ScaleFactor, own.ScalingFactor, own.Statistics)
            )
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    FormattableString.Invariant(
                        $"its latents have {config.LatentChannels} channels per {config.ScaleFactor} pixels, scaled by {config.ScalingFactor}; "
                    )
                        + FormattableString.Invariant(
                            $"{own.LatentChannels} per {own.ScaleFactor}, scaled by {own.ScalingFactor}, are needed{(config.Statistics == own.Statistics ? "" : ", with the same latents_mean and latents_std")}."
                        )
                );
            }

            using var scope = NewDisposeScope();
            using var weights = OpenWeights(config);
            _ = new AutoencoderKL(config, new WeightScope(new HeaderWeightSource(weights)));
            return config;
        }
        catch (DtiException error)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"VAE '{Name}' does not go with model '{model.Name}': {error.Message}",
                innerException: error
            );
        }
    }

    /// <summary>Its weights, by diffusers' names.</summary>
    internal ComponentWeights OpenWeights(AutoencoderKLConfig config)
    {
        if (IsFolder(Path))
        {
            return ComponentWeights.Open(Path);
        }

        var file = SafetensorsFile.Open(Path);
        var tensors = file.Tensors.Keys.Any(name => name.StartsWith("decoder.up_blocks.", StringComparison.Ordinal))
            ? file.Tensors.ToDictionary(pair => pair.Key, pair => new StoredTensor(pair.Value))
            : StoredTensor.Find(
                OriginalLayout.Vae(config.BlockOutChannels.Length, config.LayersPerBlock),
                file.Tensors.ContainsKey(Telling) ? "" : OriginalLayout.VaePrefix,
                file.Tensors.Values,
                out _
            );
        return ComponentWeights.Of(file, tensors);
    }

    private static bool IsFolder(string path) => File.Exists(System.IO.Path.Combine(path, ConfigFile));
}
