using Dti.Engine.Checkpoints;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>
/// The UNet's names in single-file checkpoints, as a table written out for the number of levels and layers of a model.
/// </summary>
internal static class UNetLayout
{
    private static readonly (string, string)[] _unetResnet =
    [
        ("norm1", "in_layers.0"),
        ("conv1", "in_layers.2"),
        ("time_emb_proj", "emb_layers.1"),
        ("norm2", "out_layers.0"),
        ("conv2", "out_layers.3"),
        ("conv_shortcut", "skip_connection"),
    ];

    /// <summary>The UNet, below <c>model.diffusion_model.</c></summary>
    /// <param name="layers">Resnets of a down block; an up block has one more.</param>
    /// <param name="upAttention">For each up block, from the coarsest: whether it attends to the prompt.</param>
    public static IEnumerable<LayoutRow> Rows(int layers, IReadOnlyList<bool> upAttention)
    {
        var levels = upAttention.Count;
        yield return new("time_embedding.linear_1", "time_embed.0");
        yield return new("time_embedding.linear_2", "time_embed.2");
        yield return new("add_embedding.linear_1", "label_emb.0.0");
        yield return new("add_embedding.linear_2", "label_emb.0.2");
        yield return new("conv_in", "input_blocks.0.0");
        for (var level = 0; level < levels; level++)
        {
            var first = 1 + (level * (layers + 1));
            for (var layer = 0; layer < layers; layer++)
            {
                yield return new(
                    $"down_blocks.{level}.resnets.{layer}",
                    $"input_blocks.{first + layer}.0",
                    _unetResnet
                );
                yield return new($"down_blocks.{level}.attentions.{layer}", $"input_blocks.{first + layer}.1");
            }

            yield return new($"down_blocks.{level}.downsamplers.0.conv", $"input_blocks.{first + layers}.0.op");
        }

        yield return new("mid_block.resnets.0", "middle_block.0", _unetResnet);
        yield return new("mid_block.attentions.0", "middle_block.1");
        yield return new("mid_block.resnets.1", "middle_block.2", _unetResnet);
        for (var level = 0; level < levels; level++)
        {
            var first = level * (layers + 1);
            for (var layer = 0; layer <= layers; layer++)
            {
                yield return new($"up_blocks.{level}.resnets.{layer}", $"output_blocks.{first + layer}.0", _unetResnet);
                yield return new($"up_blocks.{level}.attentions.{layer}", $"output_blocks.{first + layer}.1");
            }

            // After the last layer's attention, or in its place.
            yield return new(
                $"up_blocks.{level}.upsamplers.0.conv",
                $"output_blocks.{first + layers}.{(upAttention[level] ? 2 : 1)}.conv"
            );
        }

        yield return new("conv_norm_out", "out.0");
        yield return new("conv_out", "out.2");
    }
}
