using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;

namespace Dti.Engine.Planning;

/// <summary>
/// What a job takes beside the weights, told from the model's shapes before anything is loaded: the activations that are alive at once,
/// block by block. Factors were fitted to measured peaks on a CPU (bench/estimates.md says how well). Bytes.
/// </summary>
public static class MemoryEstimate
{
    private const long Constant = 160L << 20; // code, buffers and pools that the first use of a library takes
    private const double Decoder = 1.3; // copies in the layouts that convolutions want
    private const double Encoder = 0.65; // its widest tensors are freed before the deep ones are made
    private const double Recomputed = 2; // of a checkpointed block: its graph, and the gradients on their way
    private const long LatentCacheBytes = 256L << 20;

    /// <summary>Of a training with its previews.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it computes.</param>
    /// <param name="policy">What is traded for memory.</param>
    /// <param name="settings">The training.</param>
    public static long OfTraining(ModelProfile profile, ComputeTarget target, MemoryPolicy policy, TrainingSettings settings)
    {
        var side = settings.Resolution;
        var unet = UNet(profile.UNetConfig, settings.BatchSize, side / profile.VaeConfig.ScaleFactor, side / profile.VaeConfig.ScaleFactor);
        var text = profile.Encoders.Sum(encoder => 34.0 * settings.BatchSize * 77 * encoder.Dimension * encoder.Config.NumHiddenLayers);
        var step = policy.CheckpointActivations ? (Recomputed * (unet.BlockInputs + unet.LargestBlock)) + (text / 5) : unet.Graph + text;
        var encode = Encoder * EncoderElements(profile.VaeConfig, Tiled(side, side, policy)) * VaeBytes(profile, target);
        var latent = 2L * sizeof(float) * profile.VaeConfig.LatentChannels * side * side / (profile.VaeConfig.ScaleFactor * profile.VaeConfig.ScaleFactor);
        var kept = Math.Min(LatentCacheBytes, (long)settings.Steps * settings.BatchSize * settings.GradientAccumulation * latent);
        var training = Math.Max(step * target.ElementSize, encode) + kept;
        var preview = settings.PreviewEvery > 0 ? Drawing(profile, target, policy, side, side, guided: true) + kept : 0;
        return Constant + Transposed(profile, target, policy) + (long)Math.Max(training, preview);
    }

    /// <summary>What the way back of packed weights takes: all of them, or three copies of the largest, a convolution of the coarsest level on the way up.</summary>
    private static long Transposed(ModelProfile profile, ComputeTarget target, MemoryPolicy policy)
    {
        var (all, coarsest) = (profile.TransposedBytes(target), (long)profile.UNetConfig.BlockOutChannels[^1]);
        return policy.KeepTransposed ? all : Math.Min(all, 3 * (2 * coarsest) * coarsest * 9 * target.ElementSize);
    }

    /// <summary>Of drawing, one picture after the other.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it computes.</param>
    /// <param name="policy">What is traded for memory.</param>
    /// <param name="settings">The generation.</param>
    public static long OfDrawing(ModelProfile profile, ComputeTarget target, MemoryPolicy policy, GenerationSettings settings) =>
        Constant + (long)Drawing(profile, target, policy, settings.Width, settings.Height, settings.GuidanceScale > 1);

    private static double Drawing(ModelProfile profile, ComputeTarget target, MemoryPolicy policy, int width, int height, bool guided)
    {
        var factor = profile.VaeConfig.ScaleFactor;
        var unet = UNet(profile.UNetConfig, guided ? 2 : 1, height / factor, width / factor);
        return ((unet.Skips + unet.LargestBlock) * target.ElementSize)
            + (Decoder * DecoderElements(profile.VaeConfig, Tiled(width, height, policy)) * VaeBytes(profile, target))
            + (4.0 * 3 * width * height * sizeof(float));
    }

    private static double Tiled(int width, int height, MemoryPolicy policy) =>
        (double)Math.Min(width, policy.AutoencoderTile ?? width) * Math.Min(height, policy.AutoencoderTile ?? height);

    private static int VaeBytes(ModelProfile profile, ComputeTarget target) => profile.VaeTarget(target).ElementSize;

    /// <summary>Results of blocks, which live until the picture is there, and what the largest block makes on its way.</summary>
    private static double DecoderElements(AutoencoderKLConfig config, double pixels)
    {
        var channels = config.BlockOutChannels;
        var results = channels.Select((c, level) => ((config.LayersPerBlock + 1) * c * At(level)) + (level > 0 ? 2 * c * At(level - 1) : 0)).Sum();
        return results + channels.Select((c, level) => Resnet(channels[Math.Min(level + 1, channels.Length - 1)], c) * At(level)).Max();

        double At(int level) => pixels / Math.Pow(4, level);
    }

    private static double EncoderElements(AutoencoderKLConfig config, double pixels)
    {
        var channels = config.BlockOutChannels;
        var results = channels.Select((c, level) => (config.LayersPerBlock * c * At(level)) + (level < channels.Length - 1 ? c * (At(level) + At(level + 1)) : 0)).Sum();
        return (channels[0] * pixels) + results + channels.Select((c, level) => Resnet(channels[Math.Max(level - 1, 0)], c) * At(level)).Max();

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
                elements.AddResnet(layer == 0 ? channels[Math.Max(level - 1, 0)] : channels[level], channels[level], At(level), joined: false);
                elements.Skips += channels[level] * At(level);
                elements.AddTransformer(channels[level], config.DownAttention[level] ? config.TransformerLayersPerBlock[level] : 0, At(level));
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
                elements.AddTransformer(channels[level], config.UpAttention[last - level] ? config.TransformerLayersPerBlock[level] : 0, At(level));
            }

            if (level > 0)
            {
                elements.AddResult(2 * channels[level] * At(level - 1));
            }
        }

        return elements;

        double At(int level) => (double)batch * Math.Ceiling(height / Math.Pow(2, level)) * Math.Ceiling(width / Math.Pow(2, level));
    }

    /// <summary>Elements of a UNet's tensors.</summary>
    private sealed class UNetElements
    {
        /// <summary>All that a graph holds for the way back.</summary>
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
            var graph = ((3 * inChannels) + (3 * outChannels) + (inChannels == outChannels ? 0 : outChannels) + (joined ? inChannels : 0)) * positions;
            Add(graph, outChannels * positions);
        }

        /// <summary>A block keeps 32 times what goes through it: norms, queries, keys, values, the gated layer eight and four times as wide.</summary>
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
