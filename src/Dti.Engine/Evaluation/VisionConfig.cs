using System.Globalization;
using Dti.Engine.Configs;
using Dti.Engine.Models;

namespace Dti.Engine.Evaluation;

/// <summary>
/// The settings of an image tower (<c>vision_config</c>, transformers' CLIPVisionConfig and SiglipVisionConfig).
/// </summary>
/// <param name="Transformer">Of its layers.</param>
/// <param name="ImageSize">Height and width of the images.</param>
/// <param name="PatchSize">Height and width of a patch.</param>
internal sealed record VisionConfig(TransformerConfig Transformer, int ImageSize, int PatchSize)
{
    /// <summary>Patches of an image.</summary>
    public int PatchCount => ImageSize / PatchSize * (ImageSize / PatchSize);

    /// <summary>Reads the settings.</summary>
    /// <param name="config">The JSON.</param>
    /// <param name="absent">What holds where a key is absent.</param>
    /// <exception cref="DtiException">A value is out of bounds or not supported.</exception>
    public static VisionConfig Parse(ComponentConfig config, VisionConfig absent)
    {
        config.Require("num_channels", 3);
        var parsed = new VisionConfig(
            TransformerConfig.Parse(config, absent.Transformer),
            config.Int("image_size", absent.ImageSize, 1, 4096),
            config.Int("patch_size", absent.PatchSize, 1, 4096)
        );
        return parsed.PatchSize <= parsed.ImageSize
            ? parsed
            : throw config.Unsupported("patch_size", parsed.PatchSize.ToString(CultureInfo.InvariantCulture));
    }
}
