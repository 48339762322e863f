namespace Dti.Engine.Schedulers;

/// <summary>The samplers of models trained as DDPM, by name.</summary>
public static class SchedulerFactory
{
    private static readonly Dictionary<string, Func<SchedulerConfig, int, IScheduler>> _known = new(
        StringComparer.Ordinal
    )
    {
        ["ddim"] = (config, steps) => new DdimScheduler(config, steps),
        ["dpmpp_2m"] = (config, steps) => DpmSolver(config, steps, karras: false),
        ["dpmpp_2m_karras"] = (config, steps) => DpmSolver(config, steps, karras: true),
        ["euler"] = (config, steps) =>
            Euler(config, steps, karras: false, (process, schedule) => new EulerDiscreteScheduler(process, schedule)),
        ["euler_ancestral"] = (config, steps) =>
            Euler(config, steps, karras: false, (process, schedule) =>
                new EulerAncestralDiscreteScheduler(process, schedule)
            ),
        ["euler_karras"] = (config, steps) =>
            Euler(config, steps, karras: true, (process, schedule) => new EulerDiscreteScheduler(process, schedule)),
        ["pndm"] = (config, steps) => new PndmScheduler(config, steps),
    };

    /// <summary>The names, in alphabetical order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. _known.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The name in use: the one that was asked, else the model's own.</summary>
    /// <param name="name">A name, or null.</param>
    /// <param name="config">The model's config.</param>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public static string Resolve(string? name, NoiseProcessConfig config) =>
        name is null ? config.DefaultSampler
        : config.Samplers.Contains(name) ? name
        : throw new DtiException(
            ErrorKind.InvalidArgument,
            $"scheduler '{name}' is not one of {string.Join(", ", config.Samplers)}.{(ClosestName(name, config) is { } close ? $" Close: {close}." : "")}",
            "scheduler"
        );

    /// <summary>The sampler that A1111, ComfyUI and diffusers give a name like that; null: none here.</summary>
    private static string? ClosestName(string name, NoiseProcessConfig config)
    {
        var plain = string.Concat(
            name.ToLowerInvariant().Replace("++", "pp", StringComparison.Ordinal).Where(char.IsAsciiLetterOrDigit)
        );
        plain = plain switch
        {
            "eulera" or "eulerancestraldiscretescheduler" => "eulerancestral",
            "eulerdiscretescheduler" => "euler",
            "plms" or "pndmscheduler" => "pndm",
            "ddimscheduler" or "ddimuniform" => "ddim",
            "dpmsolvermultistepscheduler" => "dpmpp2m",
            _ => plain,
        };
        return config.Samplers.FirstOrDefault(known => known.Replace("_", "", StringComparison.Ordinal) == plain);
    }

    /// <summary>Prepares a run.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="config">The model's config.</param>
    /// <param name="steps">Sampling steps, at most the model's training steps.</param>
    /// <exception cref="DtiException">Unknown name, or too many steps.</exception>
    public static IScheduler Create(string name, SchedulerConfig config, int steps) =>
        _known[Resolve(name, config)](config, steps);

    private static EulerScheduler Euler(
        SchedulerConfig config,
        int steps,
        bool karras,
        Func<INoiseProcess, SamplingSchedule, EulerScheduler> create
    )
    {
        var timesteps = Timesteps.Spread(config, steps, TimestepSpacing.Linspace, roundLinspace: false);
        var process = new DdpmProcess(config);
        var trained = Sigmas.Trained(process);
        var sigmas = Array.ConvertAll(timesteps, t => Sigmas.At(trained, t));
        if (karras)
        {
            sigmas = Sigmas.Karras(sigmas[0], sigmas[^1], steps);
            timesteps = Array.ConvertAll(sigmas, sigma => Sigmas.Timestep(trained, sigma));
        }

        sigmas = Array.ConvertAll(sigmas, sigma => (double)(float)sigma); // as diffusers keeps them
        return create(
            process,
            new SamplingSchedule(
                timesteps,
                [.. sigmas.Append(0).Select(sigma => new NoiseLevel(1, sigma))],
                Sigmas.InitNoise(config, sigmas[0])
            )
        );
    }

    private static DpmSolverMultistepScheduler DpmSolver(SchedulerConfig config, int steps, bool karras)
    {
        var process = new DdpmProcess(config);
        var trained = Sigmas.Trained(process);
        var sigmas = karras ? Sigmas.Karras(trained[^1], trained[0], steps) : [];
        var timesteps = karras
            ? Array.ConvertAll(sigmas, sigma => Math.Round(Sigmas.Timestep(trained, sigma)))
            : Timesteps.Spread(config, steps, TimestepSpacing.Linspace, roundLinspace: true, beforeClean: true);
        sigmas = karras ? sigmas : Array.ConvertAll(timesteps, t => (double)trained[(int)t]);
        return new DpmSolverMultistepScheduler(
            process,
            new SamplingSchedule(
                timesteps,
                [.. sigmas.Append(0).Select(sigma => VariancePreserving((float)sigma))],
                InitNoiseSigma: 1
            )
        );
    }

    private static NoiseLevel VariancePreserving(double sigma) =>
        new(1 / Math.Sqrt((sigma * sigma) + 1), sigma / Math.Sqrt((sigma * sigma) + 1));
}
