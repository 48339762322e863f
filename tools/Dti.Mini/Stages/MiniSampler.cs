using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Mini.Models;
using Dti.Mini.Text;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>Generates many images at once.</summary>
internal sealed class MiniSampler(
    ClipTextModel text,
    AutoencoderKL vae,
    ClipTokenizer tokenizer,
    DesignEmbedder? embedder = null
)
{
    /// <summary>Prompts of the sample sheets.</summary>
    public static IReadOnlyList<string> Prompts { get; } =
    [
        "a photo of a red mug in the snow",
        "a photo of a striped blue cat in a meadow",
        "a watercolor painting of a green tree by the sea at night",
        "a neon sign of a pink heart in the city",
        "pixel art of a yellow duck on the beach",
        "an ink drawing of a spotted red mushroom in a forest",
        "a photo of a blue teapot to the left of a yellow star in a kitchen",
        "a flat illustration of a black cat behind a red chair in a library",
        "a pencil drawing of a purple owl on top of an orange hat in the mountains",
        "a photo of a checkered green car on a city street at dusk",
        "a photo of a small white rabbit to the right of a large brown house in the snow",
        "a photo of an orange fish underwater",
        "a watercolor painting of a striped red balloon in front of a blue boat on the beach",
        "a photo of a red ball, a green bottle and a blue lamp in a row in a kitchen",
        "a photo of a purple rocket in space",
        "a comic drawing of a spotted yellow dog in the desert in warm evening light",
        "a photo of a pink flower in the fog in a meadow",
        "a neon picture of a green cactus to the left of a blue guitar in the desert",
        "a pixel art picture of a brown turtle at the bottom of the ocean",
        "a photo of a yellow umbrella on the beach",
        "a flat vector drawing of an orange moon and a white house in the mountains",
        "a photo of a blue vase on top of a red bowl on a kitchen table",
        "a pencil sketch of a striped black bottle in a library",
        "a photo of a green dog in front of a pink tree in a grassy meadow with flowers",
    ];

    /// <summary>The noise schedule of dti-mini.</summary>
    public static SchedulerConfig Schedule { get; } =
        new()
        {
            ClassName = "DDIMScheduler",
            NumTrainTimesteps = 1000,
            BetaStart = 0.00085,
            BetaEnd = 0.012,
            ScaledLinear = true,
            PredictionType = PredictionType.VPrediction,
            TimestepSpacing = TimestepSpacing.Leading,
            StepsOffset = 1,
            SetAlphaToOne = false,
            ClipSample = false,
        };

    /// <summary>(B, 77, d) bf16; padded to 77 as the finished model sees it.</summary>
    public Tensor Encode(IEnumerable<string> captions)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var prompts = captions
            .Select(caption => tokenizer.Tokenize(caption).InputIds.Select(id => (long)id).ToArray())
            .ToArray();
        return text.Forward(tensor([.. prompts.SelectMany(ids => ids)], [prompts.Length, 77]))
            .LastHiddenState.MoveToOuterDisposeScope();
    }

    /// <summary>(B, 77, d), of captions in which designs without a name are embeddings with some noise.</summary>
    /// <param name="captions">Scenes and their captions, marked.</param>
    /// <param name="seed">Of the noise.</param>
    public Tensor Encode(IEnumerable<(Scene Scene, string Marked)> captions, ulong? seed)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var generator = seed is { } number ? new Generator(number, CPU) : null;
        var batch = new DesignCaptions(tokenizer, captions, length: 77);
        var rows = batch.Parameters is { } parameters
            ? embedder!.Embed(parameters.to(Precision.Compute), generator)
            : null;
        return text.Forward(batch.Ids, rows).LastHiddenState.MoveToOuterDisposeScope();
    }

    /// <summary>Images of prompts, (128, 128, 3) bytes each.</summary>
    public byte[][] Sample(UNet2DConditionModel unet, IReadOnlyList<string> prompts, Sampling sampling, int seed)
    {
        using var states = Encode(prompts);
        return Sample(unet, states, sampling, seed);
    }

    /// <summary>Images of encoded prompts, (B, 77, d).</summary>
    public byte[][] Sample(UNet2DConditionModel unet, Tensor prompts, Sampling sampling, int seed)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var count = prompts.shape[0];
        var states = cat([Encode([""]).expand(count, -1, -1), prompts.to(Precision.Compute)]);
        using var generator = new Generator((ulong)seed, CPU);
        var side = SceneRenderer.Side / vae.Config.ScaleFactor;
        var x = randn([count, vae.Config.LatentChannels, side, side], ScalarType.Float32, generator: generator);
        using var scheduler = SchedulerFactory.Create(sampling.Scheduler, Schedule, sampling.Steps);
        for (var call = 0; call < scheduler.Timesteps.Count; call++)
        {
            var output = unet.Forward(
                    cat([x, x]).to(Precision.Compute),
                    tensor([(float)scheduler.Timesteps[call]]),
                    states
                )
                .to(ScalarType.Float32)
                .chunk(2);
            x = scheduler.Step(output[0] + (sampling.Guidance * (output[1] - output[0])), call, x, () =>
                throw new NotSupportedException()
            );
        }

        return Decode((x / vae.Config.ScalingFactor).to(Precision.Compute));
    }

    /// <summary>The images of latents, (128, 128, 3) bytes each.</summary>
    /// <param name="latents">(B, C, 16, 16), not scaled.</param>
    public byte[][] Decode(Tensor latents)
    {
        using var scope = NewDisposeScope();
        var images = (vae.Decode(latents).to(ScalarType.Float32) / 2) + 0.5;
        return
        [
            .. Enumerable.Range(0, (int)images.shape[0]).Select(i => RgbImage.FromTensor(images[i]).Pixels.ToArray()),
        ];
    }
}
