namespace Dti.Engine.Schedulers;

/// <summary>Schedulers by name.</summary>
public static class SchedulerFactory
{
    private static readonly Dictionary<string, Func<SchedulerConfig, int, IScheduler>> _known = new(StringComparer.Ordinal)
    {
        ["ddim"] = (config, steps) => new DdimScheduler(config, steps),
        ["dpmpp_2m"] = (config, steps) => new DpmSolverMultistepScheduler(config, steps),
        ["dpmpp_2m_karras"] = (config, steps) => new DpmSolverMultistepScheduler(config, steps, karras: true),
        ["euler"] = (config, steps) => new EulerDiscreteScheduler(config, steps),
        ["euler_ancestral"] = (config, steps) => new EulerAncestralDiscreteScheduler(config, steps),
        ["euler_karras"] = (config, steps) => new EulerDiscreteScheduler(config, steps, karras: true),
        ["pndm"] = (config, steps) => new PndmScheduler(config, steps),
    };

    /// <summary>The names, in alphabetical order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. _known.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The name in use: the one that was asked, else the model's own; <c>ddim</c> where that is none of these.</summary>
    /// <param name="name">A name, or null.</param>
    /// <param name="config">The model's config.</param>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public static string Resolve(string? name, SchedulerConfig config)
    {
        if (name is not null)
        {
            return _known.ContainsKey(name)
                ? name
                : throw new DtiException(ErrorKind.InvalidArgument, $"scheduler '{name}' is not one of {string.Join(", ", Names)}.", "scheduler");
        }

        return config.ClassName switch
        {
            "DPMSolverMultistepScheduler" => config.UseKarrasSigmas ? "dpmpp_2m_karras" : "dpmpp_2m",
            "EulerAncestralDiscreteScheduler" => "euler_ancestral",
            "EulerDiscreteScheduler" => config.UseKarrasSigmas ? "euler_karras" : "euler",
            "PNDMScheduler" => "pndm",
            _ => "ddim",
        };
    }

    /// <summary>Prepares a run.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="config">The model's config.</param>
    /// <param name="steps">Sampling steps, at most the model's training steps.</param>
    /// <exception cref="DtiException">Unknown name, or too many steps.</exception>
    public static IScheduler Create(string name, SchedulerConfig config, int steps) => _known[Resolve(name, config)](config, steps);
}
