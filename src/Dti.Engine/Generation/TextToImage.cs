using Dti.Engine.Concepts;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Schedulers;
using static TorchSharp.torch;

namespace Dti.Engine.Generation;

/// <summary>
/// Generates images from a prompt with classifier-free guidance (arXiv 2207.12598): uncond + g·(cond − uncond), both
/// halves in one batch from the first layer on that sees the prompt. With the same seed and scheduler the images are
/// diffusers' StableDiffusionPipeline's.
/// </summary>
/// <param name="model">The model; one run at a time may use it.</param>
public sealed class TextToImage(IDiffusionModel model)
{
    /// <summary>
    /// Generates the images. Each event is computed when it is requested, on the caller's thread: at most one sampling
    /// step at a time.
    /// </summary>
    /// <param name="settings">The settings.</param>
    /// <param name="concepts">The concepts whose placeholders the prompt may hold.</param>
    /// <param name="cancellationToken">Stops within one step.</param>
    /// <returns>Warnings; for each image its sampling steps, then the image.</returns>
    /// <exception cref="DtiException">A concept does not fit the model.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public IEnumerable<GenerationEvent> Run(
        GenerationSettings settings,
        IReadOnlyList<ConceptEmbedding> concepts,
        CancellationToken cancellationToken
    )
    {
        var prompts = new PromptEncoder(
            model,
            concepts,
            settings.PromptSyntax,
            settings.ClipSkip,
            settings.LongPrompts,
            !settings.OmitInstruction
        );
        foreach (var (text, isNegative) in new[] { (settings.Prompt, false), (settings.NegativePrompt ?? "", true) })
        {
            foreach (var warning in new[] { prompts.CutWarning(text, isNegative), prompts.SyntaxWarning(text) })
            {
                if (warning is not null)
                {
                    yield return warning;
                }
            }
        }

        if (
            model.Profile.Noise is { SubstitutedClass: { } wanted } noiseConfig
            && settings.Scheduler == noiseConfig.DefaultSampler
        )
        {
            yield return new GenerationWarning(
                "SCHEDULER_SUBSTITUTED",
                $"{model.Profile.Name} was saved with {wanted}, which is not implemented: {settings.Scheduler} takes its place. "
                    + $"The setting scheduler chooses another: {string.Join(", ", noiseConfig.Samplers)}."
            );
        }

        if (settings.PreviewEvery > 0 && model.Profile.LatentRgb is null)
        {
            yield return new GenerationWarning(
                "NO_PREVIEWS",
                $"There are no previews: {model.Profile.Name} has latents of its own, and no {ModelNotes.FileName} says how they look ({LatentRgbFactors.Key})."
            );
        }

        using var pair = EncodePair(settings, prompts);
        for (var index = 0; index < settings.ImageCount; index++)
        {
            using var noise = Noise(settings, index);
            using var latents = new Latents(Next(noise));
            foreach (var step in Denoise(settings, pair, latents, noise, index, cancellationToken))
            {
                yield return step;
            }

            yield return new GeneratedImage(index, Decode(latents.Value, settings), settings.Prompt);
        }
    }

    /// <summary>The noise of one image: first what it starts from, then what schedulers add.</summary>
    internal PictureNoise Noise(GenerationSettings settings, int index)
    {
        return new PictureNoise(
            settings.Seed,
            model.Profile.Latents.Of(settings.ImageCount, Size(settings).Height, Size(settings).Width),
            index
        );
    }

    /// <summary>The negative prompt and the prompt; without guidance the prompt alone.</summary>
    internal PromptPair EncodePair(GenerationSettings settings, PromptEncoder prompts)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        model.UseOnly(ModelParts.TextEncoders);
        var prompt = prompts.Encode(settings.Prompt);
        if (settings.GuidanceScale <= 1)
        {
            return new PromptPair([(prompt with { Sizes = Sizes(settings, 1) }).DetachFromDisposeScope()]);
        }

        var negative =
            settings.NegativePrompt is null && model.Profile.ForcesZerosForEmptyPrompt
                ? prompt.Zeros()
                : prompts.Encode(settings.NegativePrompt ?? "", isNegative: true);
        Conditioning[] batches = negative.JoinsWith(prompt)
            ? [Conditioning.Cat(negative, prompt) with { Sizes = Sizes(settings, 2) }]
            : [negative with { Sizes = Sizes(settings, 1) }, prompt with { Sizes = Sizes(settings, 1) }];
        return new PromptPair([.. batches.Select(batch => batch.DetachFromDisposeScope())]);
    }

    /// <summary>Samples one image's latents in place; the next step starts from what they then hold.</summary>
    internal IEnumerable<SamplingStep> Denoise(
        GenerationSettings settings,
        PromptPair prompts,
        Latents latents,
        PictureNoise noise,
        int index,
        CancellationToken cancellationToken
    )
    {
        model.UseOnly(ModelParts.Denoiser);
        using var scheduler = model.Profile.CreateSampler(
            settings.Scheduler,
            settings.Steps,
            settings.PredictionType,
            Size(settings).Width,
            Size(settings).Height
        );
        latents.Replace(latents.Value * scheduler.InitNoiseSigma);
        using var timesteps = Timesteps(scheduler);
        var calls = scheduler.Timesteps.Count; // PLMS calls the model once more than it has steps
        for (var call = 0; call < calls; call++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var step = call - (calls - settings.Steps) + 1;
            var wanted = step > 0 && settings.PreviewEvery > 0 && step % settings.PreviewEvery == 0;
            var (next, preview) = DenoiseOnce(
                settings,
                scheduler,
                call,
                timesteps,
                latents.Value,
                prompts,
                noise,
                wanted
            );
            latents.Replace(next);
            if (step > 0)
            {
                yield return new SamplingStep(
                    (index * settings.Steps) + step,
                    settings.ImageCount * settings.Steps,
                    preview is null ? null : new GeneratedImage(index, preview, settings.Prompt)
                );
            }
        }
    }

    /// <summary>Latents to an image of the size that was asked.</summary>
    internal RgbImage Decode(Tensor latents, GenerationSettings settings)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        model.UseOnly(ModelParts.Autoencoder);
        var decoded = Resized(model.Decode(latents).to(ScalarType.Float32), settings.Width, settings.Height);
        return RgbImage.FromTensor(((decoded / 2) + 0.5).clamp(0, 1).cpu()[0]);
    }

    /// <summary>
    /// Resized until it covers a size, without smoothing, and cropped to it (diffusers' resize_and_crop_tensor).
    /// </summary>
    /// <param name="image">(1, 3, H, W) fp32</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    internal static Tensor Resized(Tensor image, int width, int height)
    {
        var (from, ratio) = (image.shape, Math.Max((double)height / image.shape[2], (double)width / image.shape[3]));
        if ((from[2], from[3]) == (height, width))
        {
            return image;
        }

        using var scope = NewDisposeScope();
        long[] size = [(long)(from[2] * ratio), (long)(from[3] * ratio)];
        return nn
            .functional.interpolate(image, size, mode: InterpolationMode.Bilinear, align_corners: false)
            .narrow(2, (size[0] - height) / 2, height)
            .narrow(3, (size[1] - width) / 2, width)
            .MoveToOuterDisposeScope();
    }

    /// <summary>In which the image is generated.</summary>
    private (int Width, int Height) Size(GenerationSettings settings) =>
        settings.ResolutionBinning
            ? model.Profile.TrainedSize(settings.Width, settings.Height)
            : (settings.Width, settings.Height);

    /// <summary>
    /// A step all of which is done where the model is: nothing waits for the device, unless a preview is wanted.
    /// </summary>
    private (Tensor Next, RgbImage? Preview) DenoiseOnce(
        GenerationSettings settings,
        IScheduler scheduler,
        int call,
        Tensor timesteps,
        Tensor sample,
        PromptPair prompts,
        PictureNoise noise,
        bool wanted
    )
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var scaled = scheduler.ScaleModelInput(sample, call).to(model.Target.Dtype);
        var timestep = timesteps.narrow(0, call, 1);
        var guided = settings.GuidanceScale > 1;
        var output = prompts.Predict(model, scaled, timestep).to(ScalarType.Float32);
        if (guided)
        {
            var (uncond, cond) = (output[0].unsqueeze(0), output[1].unsqueeze(0));
            output = Rescale(uncond + (settings.GuidanceScale * (cond - uncond)), cond, settings.GuidanceRescale);
        }

        var preview = wanted ? model.Profile.LatentRgb?.Draw(scheduler.Denoised(output, call, sample).cpu()) : null;
        return (scheduler.Step(output, call, sample, () => Next(noise)).MoveToOuterDisposeScope(), preview);
    }

    /// <summary>The next noise, where the model is.</summary>
    private Tensor Next(PictureNoise noise)
    {
        using var scope = NewDisposeScope();
        return noise.Next().to(model.Target.Device).MoveToOuterDisposeScope();
    }

    /// <summary>(n) fp32, where the model is: a copy for each step would be one more thing to wait for.</summary>
    private Tensor Timesteps(IScheduler scheduler)
    {
        using var scope = NewDisposeScope();
        return tensor(scheduler.Timesteps.Select(t => (float)t).ToArray())
            .to(model.Target.Device)
            .MoveToOuterDisposeScope();
    }

    /// <summary>An image of the size asked, not cut from a larger one, for each prompt.</summary>
    private Tensor Sizes(GenerationSettings settings, int prompts)
    {
        float[] sizes = [settings.Height, settings.Width, 0, 0, settings.Height, settings.Width];
        return tensor(sizes).unsqueeze(0).expand(prompts, -1).to(model.Target.Device);
    }

    /// <summary>
    /// Brings a guided prediction a part of the way to the spread of the unguided one (arXiv 2305.08891, equations 15
    /// and 16; diffusers' rescale_noise_cfg).
    /// </summary>
    /// <param name="guided">(1, C, h, w)</param>
    /// <param name="cond">The prediction for the prompt alone.</param>
    /// <param name="phi">0: not at all.</param>
    internal static Tensor Rescale(Tensor guided, Tensor cond, double phi) =>
        phi == 0 ? guided : ((phi * (guided * (cond.std() / guided.std()))) + ((1 - phi) * guided));
}

/// <summary>
/// What the denoiser is told of a negative prompt and a prompt: a batch of two, or where they are of different lengths
/// two batches of one; without guidance a batch of one. Owns it.
/// </summary>
internal sealed class PromptPair(IReadOnlyList<Conditioning> batches) : IDisposable
{
    private readonly PromptKeys[] _keys = [.. batches.Select(_ => new PromptKeys())];

    /// <summary>What each batch tells the denoiser.</summary>
    public IReadOnlyList<Conditioning> Batches => batches;

    /// <summary>What the model predicts for either prompt, (B, C, h, w).</summary>
    public Tensor Predict(IDiffusionModel model, Tensor sample, Tensor timestep)
    {
        Tensor[] outputs = [.. batches.Zip(_keys, (batch, keys) => model.Predict(sample, timestep, batch, keys: keys))];
        return outputs is [var one] ? one : cat(outputs);
    }

    public void Dispose()
    {
        foreach (var (batch, keys) in batches.Zip(_keys))
        {
            batch.Dispose();
            keys.Dispose();
        }
    }
}

/// <summary>The latents of an image during sampling, fp32 where the model is, (1, C, h, w); owns its tensor.</summary>
internal sealed class Latents(Tensor value) : IDisposable
{
    public Tensor Value { get; private set; } = value;

    public void Replace(Tensor next)
    {
        Value.Dispose();
        Value = next;
    }

    public void Dispose() => Value.Dispose();
}
