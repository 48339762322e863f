using System.Text.Json;
using Dti.Engine.Configs;
using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>What a model predicts.</summary>
public enum PredictionType
{
    /// <summary>The noise ε.</summary>
    Epsilon,

    /// <summary>The velocity v = √ᾱ·ε − √(1−ᾱ)·x₀ (arXiv 2202.00512).</summary>
    VPrediction,

    /// <summary>The velocity of a flow from image to noise, ε − x₀ (arXiv 2209.03003).</summary>
    Flow,
}

/// <summary>
/// How sampling steps are spread over the training steps; names as in diffusers (arXiv 2305.08891, table 2).
/// </summary>
public enum TimestepSpacing
{
    /// <summary>Multiples of T/n, from the start.</summary>
    Leading,

    /// <summary>From 0 to T − 1, both included.</summary>
    Linspace,

    /// <summary>Multiples of T/n, from the end.</summary>
    Trailing,
}

/// <summary>The <c>scheduler_config.json</c> of a model trained as DDPM: Stable Diffusion's.</summary>
public sealed record SchedulerConfig : NoiseProcessConfig
{
    /// <summary>T, the number of training steps.</summary>
    public required int NumTrainTimesteps { get; init; }

    /// <summary>β₁.</summary>
    public required double BetaStart { get; init; }

    /// <summary>β_T.</summary>
    public required double BetaEnd { get; init; }

    /// <summary>True: √β is linear in t; false: β is.</summary>
    public required bool ScaledLinear { get; init; }

    /// <summary>Null: the default of the scheduler in use.</summary>
    public required TimestepSpacing? TimestepSpacing { get; init; }

    /// <summary>Added to leading timesteps.</summary>
    public required int StepsOffset { get; init; }

    /// <summary>The last step goes to ᾱ = 1 instead of ᾱ₀.</summary>
    public required bool SetAlphaToOne { get; init; }

    /// <summary>
    /// DDIM clips its estimate of x₀ to [-1, 1]. Off where the config does not say: latents are not bounded by 1.
    /// diffusers' DDIMScheduler itself clips then.
    /// </summary>
    public required bool ClipSample { get; init; }

    /// <summary>
    /// The model's own scheduler spreads noise levels as arXiv 2206.00364 does. Off where the config does not say.
    /// </summary>
    public bool UseKarrasSigmas { get; init; }

    /// <summary>
    /// The last training step has no signal left (arXiv 2305.08891, <c>rescale_betas_zero_snr</c>). Off where the
    /// config does not say.
    /// </summary>
    public bool ZeroTerminalSnr { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<PredictionType> Predictions => [PredictionType.Epsilon, PredictionType.VPrediction];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Samplers => SchedulerFactory.Names;

    /// <inheritdoc/>
    public override string DefaultSampler =>
        (SchedulerClasses.Implemented.GetValueOrDefault(ClassName) ?? SchedulerClasses.Substitutes[ClassName]) switch
        {
            var sampler and ("dpmpp_2m" or "euler") when UseKarrasSigmas => sampler + "_karras",
            var sampler => sampler,
        };

    /// <inheritdoc/>
    public override string? SubstitutedClass => SchedulerClasses.Substitutes.ContainsKey(ClassName) ? ClassName : null;

    /// <summary>Reads a config.</summary>
    /// <exception cref="DtiException">A value is out of bounds or not supported; the message names it.</exception>
    public static SchedulerConfig Parse(JsonElement json)
    {
        var config = new ComponentConfig("scheduler/scheduler_config.json", json);
        var className = SchedulerClasses.NameOf(config.String("_class_name", ""));
        SchedulerClasses.Check(config, className);

        // A class that is substituted keeps to Stable Diffusion's published config where its own is silent.
        var substituted = SchedulerClasses.Substitutes.ContainsKey(className);
        var schedule = config.String("beta_schedule", substituted ? "scaled_linear" : "linear");
        var prediction = config.String("prediction_type", "epsilon");
        var spacing = config.String("timestep_spacing", "");
        return new SchedulerConfig
        {
            ClassName = className,
            NumTrainTimesteps = config.Int("num_train_timesteps", 1000, 1, 100_000),
            BetaStart = config.Double("beta_start", substituted ? 0.00085 : 0.0001),
            BetaEnd = config.Double("beta_end", substituted ? 0.012 : 0.02),
            ScaledLinear =
                schedule == "scaled_linear"
                || (schedule == "linear" ? false : throw config.Unsupported("beta_schedule", schedule)),
            PredictionType = PredictionTypes.Find(prediction) is { } type and not PredictionType.Flow
                ? type
                : throw config.Unsupported("prediction_type", prediction),
            TimestepSpacing = spacing switch
            {
                "" => null,
                "leading" => Schedulers.TimestepSpacing.Leading,
                "linspace" => Schedulers.TimestepSpacing.Linspace,
                "trailing" => Schedulers.TimestepSpacing.Trailing,
                _ => throw config.Unsupported("timestep_spacing", spacing),
            },
            StepsOffset = config.Int("steps_offset", substituted ? 1 : 0, 0, 1000),
            SetAlphaToOne = config.Bool("set_alpha_to_one", !substituted && className != "PNDMScheduler"),
            ClipSample = config.Bool("clip_sample", false),
            UseKarrasSigmas = config.Bool("use_karras_sigmas", false),
            ZeroTerminalSnr = config.Bool("rescale_betas_zero_snr", false),
        };
    }

    /// <inheritdoc/>
    public override INoiseProcess CreateProcess(Device? device = null) => new DdpmProcess(this, device);

    /// <inheritdoc/>
    public override IScheduler CreateSampler(string name, int steps) => SchedulerFactory.Create(name, this, steps);
}
