using Dti.Engine.Configs;

namespace Dti.Engine.Schedulers;

/// <summary>
/// diffusers' scheduler classes and the keys of their configs: which are implemented, which are substituted, and what
/// becomes of each key. A class or a key that is not here is refused by name. <c>docs/formats.md</c> shows the same
/// tables.
/// </summary>
internal static class SchedulerClasses
{
    /// <summary>The classes that are implemented, and the samplers that they are.</summary>
    public static IReadOnlyDictionary<string, string> Implemented { get; } =
        new Dictionary<string, string>
        {
            [""] = "ddim",
            ["DDIMScheduler"] = "ddim",
            ["DDIMParallelScheduler"] = "ddim",
            ["DPMSolverMultistepScheduler"] = "dpmpp_2m",
            ["EulerAncestralDiscreteScheduler"] = "euler_ancestral",
            ["EulerDiscreteScheduler"] = "euler",
            ["PNDMScheduler"] = "pndm",
        };

    /// <summary>The classes of models that were trained as EDM, and the samplers that they are.</summary>
    public static IReadOnlyDictionary<string, string> Edm { get; } =
        new Dictionary<string, string>
        {
            ["EDMDPMSolverMultistepScheduler"] = "dpmpp_2m",
            ["EDMEulerScheduler"] = "euler",
        };

    /// <summary>
    /// Classes for models that are trained alike, and the samplers that take their place, with a warning.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Substitutes { get; } =
        new Dictionary<string, string>
        {
            ["DDPMParallelScheduler"] = "ddim",
            ["DDPMScheduler"] = "ddim",
            ["DEISMultistepScheduler"] = "dpmpp_2m",
            ["DPMSolverSDEScheduler"] = "dpmpp_2m",
            ["DPMSolverSinglestepScheduler"] = "dpmpp_2m",
            ["HeunDiscreteScheduler"] = "euler",
            ["KDPM2AncestralDiscreteScheduler"] = "euler_ancestral",
            ["KDPM2DiscreteScheduler"] = "euler",
            ["LCMScheduler"] = "ddim",
            ["LMSDiscreteScheduler"] = "euler",
            ["SASolverScheduler"] = "dpmpp_2m",
            ["TCDScheduler"] = "ddim",
            ["UniPCMultistepScheduler"] = "dpmpp_2m",
        };

    /// <summary>Keys that <see cref="SchedulerConfig"/> reads, whatever the class.</summary>
    public static IReadOnlySet<string> Read { get; } =
        new HashSet<string>(StringComparer.Ordinal)
        {
            "beta_end",
            "beta_schedule",
            "beta_start",
            "clip_sample",
            "num_train_timesteps",
            "prediction_type",
            "rescale_betas_zero_snr",
            "set_alpha_to_one",
            "steps_offset",
            "timestep_spacing",
            "use_karras_sigmas",
        };

    /// <summary>Keys that <see cref="EdmConfig"/> reads.</summary>
    public static IReadOnlySet<string> ReadOfEdm { get; } =
        new HashSet<string>(StringComparer.Ordinal)
        {
            "prediction_type",
            "rho",
            "sigma_data",
            "sigma_max",
            "sigma_min",
            "sigma_schedule",
        };

    /// <summary>Keys that change nothing where the other keys are as they must be.</summary>
    public static IReadOnlySet<string> Harmless { get; } =
        new HashSet<string>(StringComparer.Ordinal)
        {
            "dynamic_thresholding_ratio",
            "sample_max_value", // of thresholding, which must be off
            "euler_at_final",
            "lower_order_final", // a last step without noise is of first order
            "base_image_seq_len",
            "base_shift",
            "flow_shift",
            "max_image_seq_len",
            "max_shift",
            "time_shift_type", // of flow sigmas
            "tensor_format", // of diffusers before 0.3
        };

    /// <summary>
    /// Keys of samplers that are not implemented, whose classes are substituted; another class does not read them.
    /// </summary>
    public static IReadOnlySet<string> OfSubstituted { get; } =
        new HashSet<string>(StringComparer.Ordinal)
        {
            "corrector_order",
            "disable_corrector",
            "noise_sampler_seed",
            "original_inference_steps",
            "predict_x0",
            "predictor_order",
            "solver_p",
            "tau_func",
            "timestep_scaling",
        };

    // What a key of an implemented class must say: the value that is implemented, first as it is when the key is
    // absent.
    private static readonly Dictionary<string, string[]> _required = new(StringComparer.Ordinal)
    {
        ["algorithm_type"] = ["\"dpmsolver++\"", "\"deis\""], // diffusers takes the latter for the former
        ["clip_sample_range"] = ["1.0", "1"],
        ["final_sigmas_type"] = ["\"zero\""],
        ["interpolation_type"] = ["\"linear\""],
        ["lambda_min_clipped"] = ["\"-Infinity\""],
        ["sigma_max"] = ["null"],
        ["sigma_min"] = ["null"],
        ["skip_prk_steps"] = ["true"],
        ["solver_order"] = ["2"],
        ["solver_type"] = ["\"midpoint\"", "\"logrho\"", "\"bh1\"", "\"bh2\""], // all the first
        ["timestep_type"] = ["\"discrete\""],
        ["use_beta_sigmas"] = ["false"],
        ["use_exponential_sigmas"] = ["false"],
        ["use_lu_lambdas"] = ["false"],
        ["variance_type"] = ["null"],
    };

    // What a key of a model trained as EDM must say.
    private static readonly Dictionary<string, string[]> _requiredOfEdm = new(StringComparer.Ordinal)
    {
        ["algorithm_type"] = _required["algorithm_type"],
        ["final_sigmas_type"] = _required["final_sigmas_type"],
        ["solver_order"] = _required["solver_order"],
        ["solver_type"] = _required["solver_type"],
        ["thresholding"] = ["false"],
    };

    // What a key of any class must say: it is about the noise that the model was trained with, or about every step.
    private static readonly Dictionary<string, string[]> _requiredOfAll = new(StringComparer.Ordinal)
    {
        ["predict_epsilon"] = ["true"], // of diffusers before 0.10
        ["shift_terminal"] = ["null"],
        ["thresholding"] = ["false"],
        ["trained_betas"] = ["null"],
        ["use_dynamic_shifting"] = ["false"],
        ["use_flow_sigmas"] = ["false"],
    };

    // Which of the keys with a required value an implemented class reads; in the config of another one they are a rest
    // without effect.
    private static readonly Dictionary<string, string[]> _readBy = new(StringComparer.Ordinal)
    {
        [""] = [.. _required.Keys],
        ["DDIMScheduler"] = ["clip_sample_range"],
        ["DDIMParallelScheduler"] = ["clip_sample_range"],
        ["DPMSolverMultistepScheduler"] =
        [
            "algorithm_type",
            "final_sigmas_type",
            "lambda_min_clipped",
            "solver_order",
            "solver_type",
            "use_beta_sigmas",
            "use_exponential_sigmas",
            "use_lu_lambdas",
            "variance_type",
        ],
        ["EulerAncestralDiscreteScheduler"] = [],
        ["EulerDiscreteScheduler"] =
        [
            "final_sigmas_type",
            "interpolation_type",
            "sigma_max",
            "sigma_min",
            "timestep_type",
            "use_beta_sigmas",
            "use_exponential_sigmas",
        ],
        ["PNDMScheduler"] = ["skip_prk_steps"],
    };

    /// <summary>The class of a config: Flax's are those of the same name.</summary>
    public static string NameOf(string className) =>
        className.StartsWith("Flax", StringComparison.Ordinal) ? className[4..] : className;

    /// <summary>Refuses a class, a key or a value that would be sampled otherwise than the config says.</summary>
    /// <param name="config">The config.</param>
    /// <param name="className">Its class.</param>
    /// <exception cref="DtiException">One of them is not supported; the message names it.</exception>
    public static void Check(ComponentConfig config, string className)
    {
        var isImplemented = Implemented.ContainsKey(className);
        if (!isImplemented && !Substitutes.ContainsKey(className))
        {
            var implemented = string.Join(", ", Implemented.Keys.Concat(Edm.Keys).Where(name => name.Length > 0));
            throw config.Unsupported("_class_name", $"'{className}' (implemented are {implemented})");
        }

        foreach (var key in config.Keys.Where(key => !key.StartsWith('_')))
        {
            if (
                _requiredOfAll.TryGetValue(key, out var required)
                || (
                    _required.TryGetValue(key, out required)
                    && isImplemented
                    && _readBy[className].Contains(key)
                    && (key != "clip_sample_range" || config.Bool("clip_sample", false))
                )
            )
            {
                config.RequireOneOf(key, required);
            }
            else if (
                !Read.Contains(key)
                && !Harmless.Contains(key)
                && !OfSubstituted.Contains(key)
                && !_required.ContainsKey(key)
            )
            {
                throw UnknownKey(config, key);
            }
        }
    }

    /// <summary>
    /// Refuses a key or a value of a model trained as EDM that would be sampled otherwise than the config says.
    /// </summary>
    /// <param name="config">The config.</param>
    /// <exception cref="DtiException">One of them is not supported; the message names it.</exception>
    public static void CheckEdm(ComponentConfig config)
    {
        foreach (var key in config.Keys.Where(key => !key.StartsWith('_') && !ReadOfEdm.Contains(key)))
        {
            if (_requiredOfEdm.TryGetValue(key, out var required))
            {
                config.RequireOneOf(key, required);
            }
            else if (key != "num_train_timesteps" && !Harmless.Contains(key))
            {
                throw UnknownKey(config, key);
            }
        }
    }

    private static DtiException UnknownKey(ComponentConfig config, string key) =>
        new(
            ErrorKind.FailedPrecondition,
            $"{config.Component}: '{key}' is a key of none of diffusers' schedulers of this kind. Correct its name, or remove it."
        );
}
