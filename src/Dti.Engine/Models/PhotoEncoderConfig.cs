using Dti.Engine.Configs;

namespace Dti.Engine.Models;

/// <summary>The settings of a photo encoder (<c>photo_encoder/config.json</c>).</summary>
internal sealed record PhotoEncoderConfig
{
    /// <summary>The folder of the component in a model folder.</summary>
    public const string Component = "photo_encoder";

    /// <summary>The value of <c>_class_name</c>.</summary>
    public const string ClassName = "PhotoEncoder";

    /// <summary>Channels of latents.</summary>
    public required int InChannels { get; init; }

    /// <summary>Channels per level, from the finest.</summary>
    public required int[] BlockOutChannels { get; init; }

    /// <summary>ResNet blocks per level.</summary>
    public required int LayersPerBlock { get; init; }

    /// <summary>Groups of the norms.</summary>
    public required int NormNumGroups { get; init; }

    /// <summary>Widths of the token embeddings, one for each text encoder.</summary>
    public required int[] EmbeddingDims { get; init; }

    /// <summary>Reads the config.</summary>
    /// <exception cref="DtiException">A value is missing, out of bounds or not supported.</exception>
    public static PhotoEncoderConfig Parse(ComponentConfig config)
    {
        config.Require("_class_name", ClassName);
        var channels = config.IntList("block_out_channels", 1, 1024);
        var groups = config.Int("norm_num_groups", 8, 1, 1024);
        return Array.Find(channels, width => width % groups != 0) is var odd and > 0
            ? throw config.Unsupported("norm_num_groups", $"{groups}, which does not divide {odd} channels,")
            : new PhotoEncoderConfig
            {
                InChannels = config.Int("in_channels", 4, 1, 64),
                BlockOutChannels = channels,
                LayersPerBlock = config.Int("layers_per_block", 2, 1, 16),
                NormNumGroups = groups,
                EmbeddingDims = config.IntList("embedding_dims", 1, 16_384),
            };
    }
}
