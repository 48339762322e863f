using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Planning;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Engine.Training;
using static TorchSharp.torch;

namespace Dti.Bench.Speed;

/// <summary>One way to do the same work, a step at a time.</summary>
internal abstract class Contender : IDisposable
{
    public abstract string Name { get; }

    /// <summary>A sampling step with guidance, or a training step.</summary>
    public abstract void Step();

    public abstract void Dispose();
}

/// <summary>The reference's loops: every step as if it were the first.</summary>
internal sealed class PlainContender : Contender
{
    private const int Vectors = 1;
    private static readonly long[] _timestep = [500];
    private readonly SpeedCase _case;
    private readonly StableDiffusionProfile _profile;
    private readonly ComputeTarget _target;
    private readonly DdpmProcess _schedule;
    private readonly Tensor _ids; // (B, 77)
    private readonly Tensor _vocabulary; // (V + 1, d), all of it takes gradients
    private readonly Tensor _original; // (V, d)
    private readonly Tensor _pixels; // (B, 3, H, W)
    private readonly Tensor _states; // (2, 77, d)
    private readonly AddedConditioning? _added;
    private Tensor _latents;

    public PlainContender(SpeedCase asked, StableDiffusionProfile profile, ComputeTarget target)
    {
        using var scope = NewDisposeScope();
        (_case, _profile, _target, Name) = (asked, profile, target, $"plain {target.DtypeName}");
        Model = new PlainModel(profile, target, asked.Trains);
        _schedule = new DdpmProcess((SchedulerConfig)profile.Noise, target.Device);
        var tokens = profile.Tokenizer.Tokenize("a photo of a cat").InputIds.Select(id => (long)id).ToArray();
        _ids = tensor(tokens)
            .unsqueeze(0)
            .repeat(asked.Trains ? asked.Batch : 2, 1)
            .to(target.Device)
            .DetachFromDisposeScope();
        _original = Model.Vocabulary;
        if (asked.Trains)
        {
            _ids[.., 5] = profile.TextConfig.VocabSize; // the placeholder, in the place of the cat
        }

        _vocabulary = cat([_original, _original[..Vectors]])
            .detach()
            .requires_grad_(asked.Trains)
            .DetachFromDisposeScope();
        _pixels = (rand(asked.Batch, 3, asked.Side, asked.Side) * 2 - 1)
            .to(target.Dtype, target.Device)
            .DetachFromDisposeScope();
        using var frozen = no_grad();
        // SDXL's two text encoders are left out: they are no part of a sampling step.
        _states = (
            IsXl
                ? randn(2, 77, profile.UNetConfig.CrossAttentionDim).to(target.Dtype, target.Device)
                : Model.Text(_ids, _vocabulary)
        ).DetachFromDisposeScope();
        _added = Added(2);
        _latents = randn(
                1,
                profile.VaeConfig.LatentChannels,
                asked.Side / profile.VaeConfig.ScaleFactor,
                asked.Side / profile.VaeConfig.ScaleFactor
            )
            .to(target.Device)
            .DetachFromDisposeScope();
    }

    private bool IsXl => _profile.UNetConfig.AdditionTimeEmbedDim > 0;

    /// <summary>What SDXL's denoiser is told besides; null for others.</summary>
    public AddedConditioning? Added(int batch)
    {
        if (!IsXl)
        {
            return null;
        }

        float[] timeIds = [_case.Side, _case.Side, 0, 0, _case.Side, _case.Side];
        return new(
            randn(batch, _profile.UNetConfig.AdditionInputDim - (6 * _profile.UNetConfig.AdditionTimeEmbedDim))
                .to(_target.Dtype, _target.Device)
                .DetachFromDisposeScope(),
            tensor(timeIds).repeat(batch, 1).to(_target.Device).DetachFromDisposeScope()
        );
    }

    public override string Name { get; }

    public PlainModel Model { get; }

    public override void Step()
    {
        using var scope = NewDisposeScope();
        if (_case.Trains)
        {
            Train();
        }
        else
        {
            Sample();
        }
    }

    public override void Dispose()
    {
        foreach (var tensor in new[] { _ids, _vocabulary, _pixels, _states, _latents })
        {
            tensor.Dispose();
        }

        _added?.TextEmbeds.Dispose();
        _added?.TimeIds.Dispose();
        _schedule.Dispose();
        Model.Dispose();
    }

    /// <summary>diffusers' StableDiffusionPipeline, between two calls of its scheduler; DDIM.</summary>
    private void Sample()
    {
        using var frozen = no_grad();
        var output = Model
            .UNet(cat([_latents, _latents]).to(_target.Dtype), tensor(_timestep).to(_target.Device), _states, _added)
            .to(ScalarType.Float32)
            .chunk(2);
        var noise = output[0] + (7.5 * (output[1] - output[0]));
        var (now, next) = (_schedule.AlphasCumprod[500].item<float>(), _schedule.AlphasCumprod[480].item<float>());
        var x0 = (_latents - (Math.Sqrt(1 - now) * noise)) / Math.Sqrt(now);
        var moved = ((Math.Sqrt(next) * x0) + (Math.Sqrt(1 - next) * noise)).DetachFromDisposeScope();
        _latents.Dispose();
        _latents = moved;
    }

    /// <summary>
    /// diffusers' textual_inversion.py with the reference's step on the sphere: the whole vocabulary has a gradient,
    /// and is put back afterwards.
    /// </summary>
    private void Train()
    {
        Tensor latents;
        using (no_grad())
        {
            latents = Model.Encode(_pixels).to(ScalarType.Float32);
        }

        var noise = randn_like(latents);
        var timesteps = randint(0, _schedule.TrainTimesteps, [_case.Batch], ScalarType.Int64).to(_target.Device);
        var states = Model.Text(_ids, _vocabulary);
        var prediction = Model.UNet(_schedule.AddNoise(latents, noise, timesteps).to(_target.Dtype), timesteps, states);
        var loss = nn.functional.mse_loss(prediction.to(ScalarType.Float32), noise);
        var gradient = autograd.grad([loss], [_vocabulary])[0]; // (V + 1, d)
        using var frozen = no_grad();
        var words = _original.shape[0];
        var rows = _vocabulary[(int)words..].to(ScalarType.Float32);
        var norm = rows.norm(-1, keepdim: true, p: 2f);
        var (v, g) = (rows / norm, gradient[(int)words..].to(ScalarType.Float32));
        g = g - ((g * v).sum(-1, keepdim: true) * v);
        v = v - (0.01 * g / (g.norm(-1, keepdim: true, p: 2f) + 1e-8));
        _vocabulary.narrow(0, words, Vectors).copy_(v / v.norm(-1, keepdim: true, p: 2f) * norm);
        _vocabulary.narrow(0, 0, words).copy_(_original);
        _ = loss.item<float>();
    }
}

/// <summary>Dti, through the doors that the server uses.</summary>
internal sealed class OurContender : Contender
{
    private readonly IEnumerator<object> _events;

    public OurContender(SpeedCase asked, StableDiffusionProfile profile, ComputeTarget target)
    {
        Name = $"ours {target.DtypeName}";
        Model = StableDiffusionModel.Load(profile, target);
        _events = asked.Trains ? Training(asked).GetEnumerator() : Sampling(asked).GetEnumerator();
    }

    public override string Name { get; }

    public StableDiffusionModel Model { get; }

    public override void Step()
    {
        while (_events.MoveNext() && _events.Current is not (TrainingStep or SamplingStep)) { }
    }

    public override void Dispose()
    {
        _events.Dispose();
        Model.Dispose();
    }

    /// <summary>What a step takes beside the weights.</summary>
    public static long StepBytes(SpeedCase asked, StableDiffusionProfile profile, ComputeTarget target) =>
        asked.Trains
            ? MemoryEstimate.OfTraining(profile, target, MemoryPolicy.High, TrainingOf(asked, profile))
            : MemoryEstimate.OfGeneration(profile, target, MemoryPolicy.High, DrawingOf(asked, profile));

    private IEnumerable<object> Training(SpeedCase asked)
    {
        var photos = TrainingSet.Load(
            [new Photo("noise.png", ModelCase.Noise(asked.Side))],
            asked.Side,
            ImageLimits.Default
        );
        return new Trainer(Model, TrainingOf(asked, Model.Profile), photos).Run(CancellationToken.None);
    }

    private IEnumerable<object> Sampling(SpeedCase asked) =>
        new TextToImage(Model).Run(DrawingOf(asked, Model.Profile), [], CancellationToken.None);

    private static TrainingSettings TrainingOf(SpeedCase asked, StableDiffusionProfile profile)
    {
        var options = new TrainingOptions
        {
            Steps = 100_000,
            BatchSize = asked.Batch,
            Resolution = asked.Side,
            PreviewEvery = 0,
            CheckEvery = 0,
            Initializer = "cat",
            VectorCount = 1,
            Seed = 1,
            CenterCrop = true,
            RandomFlip = false,
        };
        return TrainingSettings.Resolve(options, "x", profile, () => 1);
    }

    private static GenerationSettings DrawingOf(SpeedCase asked, StableDiffusionProfile profile)
    {
        var options = new GenerationOptions
        {
            Prompt = "a photo of a cat",
            Width = asked.Side,
            Height = asked.Side,
            Steps = 100,
            GuidanceScale = 7.5,
            Scheduler = "ddim",
            Seed = 1,
        };
        return GenerationSettings.Resolve(options, profile, () => 1);
    }
}
