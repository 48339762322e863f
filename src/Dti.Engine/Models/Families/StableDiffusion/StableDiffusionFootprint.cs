using Dti.Engine.Runtime.Devices;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>
/// The working memory of Stable Diffusion in addition to its weights, block by block. Factors were fitted to measured
/// peaks on a CPU (bench/estimates.md).
/// </summary>
/// <param name="profile">The model.</param>
internal sealed class StableDiffusionFootprint(StableDiffusionProfile profile) : IFootprint
{
    private const double Decoder = 1.3; // copies in the layouts that convolutions want
    private const double Encoder = 0.65; // its widest tensors are freed before the deep ones are made
    private const double Recomputed = 2; // of a checkpointed block: its graph, and the gradients on their way
    private const double TextLayer = 34; // tensors of a text encoder's layer that a graph holds

    private int Factor => profile.VaeConfig.ScaleFactor;

    /// <inheritdoc/>
    public double TrainingStep(int batch, int side, ComputeTarget target, MemoryPolicy policy)
    {
        var unet = UNet(profile.UNetConfig, batch, side / Factor, side / Factor);
        var text = profile.TextConfigs.Sum(config =>
            TextLayer * batch * config.MaxPositionEmbeddings * config.HiddenSize * config.NumHiddenLayers
        );
        var elements = policy.CheckpointActivations
            ? (Recomputed * (unet.BlockInputs + unet.LargestBlock)) + (text / 5)
            : unet.Graph + text;
        return elements * target.ElementSize;
    }

    /// <inheritdoc/>
    public double Denoising(int batch, int width, int height, ComputeTarget target)
    {
        var unet = UNet(profile.UNetConfig, batch, height / Factor, width / Factor);
        return (unet.Skips + unet.LargestBlock) * target.ElementSize;
    }

    /// <inheritdoc/>
    public double Encoding(double pixels, ComputeTarget target) =>
        Encoder * EncoderElements(profile.VaeConfig, pixels) * profile.AutoencoderTarget(target).ElementSize;

    /// <inheritdoc/>
    public double Decoding(double pixels, ComputeTarget target) =>
        Decoder * DecoderElements(profile.VaeConfig, pixels) * profile.AutoencoderTarget(target).ElementSize;

    /// <summary>
    /// All packed weights transposed, or three copies of the largest: a convolution of the coarsest level of the up
    /// blocks.
    /// </summary>
    public long BackwardWeights(ComputeTarget target, MemoryPolicy policy)
    {
        var (all, coarsest) = (profile.TransposedBytes(target), (long)profile.UNetConfig.BlockOutChannels[^1]);
        return policy.KeepTransposed ? all : Math.Min(all, 3 * (2 * coarsest) * coarsest * 9 * target.ElementSize);
    }

    /// <summary>
    /// Results of blocks, which live until the image is there, and what the largest block makes on its way.
    /// </summary>
    private static double DecoderElements(AutoencoderKLConfig config, double pixels)
    {
        var channels = config.BlockOutChannels;
        var results = channels
            .Select(
                (c, level) => ((config.LayersPerBlock + 1) * c * At(level)) + (level > 0 ? 2 * c * At(level - 1) : 0)
            )
            .Sum();
        return results
            + channels
                .Select((c, level) => Resnet(channels[Math.Min(level + 1, channels.Length - 1)], c) * At(level))
                .Max();

        double At(int level) => pixels / Math.Pow(4, level);
    }

    private static double EncoderElements(AutoencoderKLConfig config, double pixels)
    {
        var channels = config.BlockOutChannels;
        var results = channels
            .Select(
                (c, level) =>
                    (config.LayersPerBlock * c * At(level))
                    + (level < channels.Length - 1 ? c * (At(level) + At(level + 1)) : 0)
            )
            .Sum();
        return (channels[0] * pixels)
            + results
            + channels.Select((c, level) => Resnet(channels[Math.Max(level - 1, 0)], c) * At(level)).Max();

        double At(int level) => pixels / Math.Pow(4, level);
    }

    private static double Resnet(int inChannels, int outChannels) => (2.0 * inChannels) + (5.0 * outChannels);

    private static UNetElements UNet(UNet2DConditionConfig config, int batch, int height, int width)
    {
        var channels = config.BlockOutChannels;
        var elements = new UNetElements { Skips = channels[0] * At(0) };
        for (var level = 0; level < channels.Length; level++)
        {
            for (var layer = 0; layer < config.LayersPerBlock; layer++)
            {
                elements.AddResnet(
                    layer == 0 ? channels[Math.Max(level - 1, 0)] : channels[level],
                    channels[level],
                    At(level),
                    joined: false
                );
                elements.Skips += channels[level] * At(level);
                elements.AddTransformer(
                    channels[level],
                    config.DownAttention[level] ? config.TransformerLayersPerBlock[level] : 0,
                    At(level)
                );
            }

            if (level < channels.Length - 1)
            {
                elements.AddResult(channels[level] * At(level + 1));
                elements.Skips += channels[level] * At(level + 1);
            }
        }

        var last = channels.Length - 1;
        elements.AddResnet(channels[last], channels[last], At(last), joined: false);
        elements.AddTransformer(channels[last], config.TransformerLayersPerBlock[last], At(last));
        elements.AddResnet(channels[last], channels[last], At(last), joined: false);
        for (var level = last; level >= 0; level--)
        {
            for (var layer = 0; layer <= config.LayersPerBlock; layer++)
            {
                var below = layer == 0 ? channels[Math.Min(level + 1, last)] : channels[level];
                var skip = layer == config.LayersPerBlock ? channels[Math.Max(level - 1, 0)] : channels[level];
                elements.AddResnet(below + skip, channels[level], At(level), joined: true);
                elements.AddTransformer(
                    channels[level],
                    config.UpAttention[last - level] ? config.TransformerLayersPerBlock[level] : 0,
                    At(level)
                );
            }

            if (level > 0)
            {
                elements.AddResult(2 * channels[level] * At(level - 1));
            }
        }

        return elements;

        double At(int level) =>
            (double)batch * Math.Ceiling(height / Math.Pow(2, level)) * Math.Ceiling(width / Math.Pow(2, level));
    }

    /// <summary>Elements of a UNet's tensors.</summary>
    private sealed class UNetElements
    {
        /// <summary>Everything that the graph keeps for the backward pass.</summary>
        public double Graph { get; private set; }

        /// <summary>Of that, what goes into blocks.</summary>
        public double BlockInputs { get; private set; }

        /// <summary>The graph of the largest block.</summary>
        public double LargestBlock { get; private set; }

        /// <summary>What waits for the way up.</summary>
        public double Skips { get; set; }

        public void AddResult(double elements) => (Graph, BlockInputs) = (Graph + elements, BlockInputs + elements);

        /// <summary>Two norms, activations and convolutions, each keeping its input.</summary>
        public void AddResnet(int inChannels, int outChannels, double positions, bool joined)
        {
            var graph =
                (
                    (3 * inChannels)
                    + (3 * outChannels)
                    + (inChannels == outChannels ? 0 : outChannels)
                    + (joined ? inChannels : 0)
                ) * positions;
            Add(graph, outChannels * positions);
        }

        /// <summary>
        /// A block keeps 32 times what goes through it: norms, queries, keys, values, the gated layer eight and four
        /// times as wide.
        /// </summary>
        public void AddTransformer(int channels, int depth, double positions)
        {
            if (depth > 0)
            {
                Add(4 * channels * positions, 2 * channels * positions);
                for (var block = 0; block < depth; block++)
                {
                    Add(32 * channels * positions, channels * positions);
                }
            }
        }

        private void Add(double graph, double result)
        {
            Graph += graph;
            BlockInputs += result;
            LargestBlock = Math.Max(LargestBlock, graph);
        }
    }
}
