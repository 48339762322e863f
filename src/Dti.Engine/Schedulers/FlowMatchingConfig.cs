using System.Text.Json;
using Dti.Engine.Configs;
using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// The <c>scheduler_config.json</c> of a flow-matching model: diffusers' FlowMatchEulerDiscreteScheduler, or
/// DPMSolverMultistepScheduler with <c>use_flow_sigmas</c>.
/// </summary>
public sealed record FlowMatchingConfig : NoiseProcessConfig
{
    private const string Euler = "euler";
    private const string DpmSolver = "dpmpp_2m";

    /// <summary>T: the model is told σ·T.</summary>
    public required int NumTrainTimesteps { get; init; }

    /// <summary>
    /// How far noise levels are moved toward noise in sampling, above 0; 1: not at all (arXiv 2403.03206, equation 23).
    /// </summary>
    public required double Shift { get; init; }

    /// <summary>The same in training.</summary>
    public required double TrainingShift { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<PredictionType> Predictions => [PredictionType.Flow];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Samplers => [DpmSolver, Euler];

    /// <inheritdoc/>
    public override string DefaultSampler => ClassName == "DPMSolverMultistepScheduler" ? DpmSolver : Euler;

    /// <summary>Reads a config.</summary>
    /// <exception cref="DtiException">A value is out of bounds or not supported; the message names it.</exception>
    public static FlowMatchingConfig Parse(JsonElement json)
    {
        var config = new ComponentConfig("scheduler/scheduler_config.json", json);
        var name = config.String("_class_name", "FlowMatchEulerDiscreteScheduler");
        var solver = name == "DPMSolverMultistepScheduler";
        if (solver)
        {
            config.Require("use_flow_sigmas", true);
            config.Require("prediction_type", "flow_prediction");
            config.RequireOneOf("algorithm_type", ["\"dpmsolver++\""]);
            config.Require("solver_order", 2);
            config.Require("solver_type", "midpoint");
            config.Require("final_sigmas_type", "zero");
            config.Require("thresholding", false);
            config.Require("use_lu_lambdas", false);
        }
        else if (name != "FlowMatchEulerDiscreteScheduler")
        {
            throw config.Unsupported("_class_name", $"'{name}'");
        }

        config.Require("use_dynamic_shifting", false);
        config.Require("use_karras_sigmas", false);
        config.Require("use_exponential_sigmas", false);
        config.Require("use_beta_sigmas", false);
        config.Require("invert_sigmas", false);
        config.RequireAbsent("shift_terminal");
        var key = solver ? "flow_shift" : "shift";
        var shift = config.Double(key, 1);
        return new FlowMatchingConfig
        {
            ClassName = name,
            PredictionType = PredictionType.Flow,
            NumTrainTimesteps = config.Int("num_train_timesteps", 1000, 1, 100_000),
            Shift = shift is > 0 and <= 100 ? shift : throw config.Unsupported(key, JsonSerializer.Serialize(shift)),
            TrainingShift = solver ? 1 : shift, // training reads shift alone, and a solver's config has none
        };
    }

    /// <inheritdoc/>
    public override INoiseProcess CreateProcess(Device? device = null) => new FlowMatchingProcess(this);

    /// <summary>Prepares a run at the noise levels that diffusers' class for the sampler spreads.</summary>
    /// <inheritdoc/>
    public override IScheduler CreateSampler(string name, int steps) =>
        CreateSampler(name, name == DpmSolver ? SolverSigmas(steps) : EulerSigmas(steps));

    /// <summary>Prepares a run at given noise levels, for families whose pipelines spread them otherwise.</summary>
    /// <param name="name">One of <see cref="Samplers"/>.</param>
    /// <param name="sigmas">σ of each call, from 1 or below down to above 0.</param>
    public IScheduler CreateSampler(string name, IEnumerable<double> sigmas)
    {
        double[] levels = [.. sigmas];
        var schedule = new SamplingSchedule(
            Array.ConvertAll(levels, sigma => TimeOf(name, sigma)),
            [
                .. levels
                    .Select(sigma => (double)(float)sigma) // as diffusers keeps them
                    .Append(0)
                    .Select(sigma => new NoiseLevel(1 - sigma, sigma)),
            ],
            InitNoiseSigma: 1
        );
        var process = new FlowMatchingProcess(this);
        return name == DpmSolver
            ? new DpmSolverMultistepScheduler(process, schedule)
            : new EulerDiscreteScheduler(process, schedule);
    }

    /// <summary>What the model is told of a level: the solver's class counts in whole steps.</summary>
    private double TimeOf(string name, double sigma) =>
        name == DpmSolver ? Math.Truncate(sigma * NumTrainTimesteps) : (double)(float)sigma * NumTrainTimesteps;

    /// <summary>A noise level moved toward noise.</summary>
    internal static double Shifted(double sigma, double shift) => shift * sigma / (1 + ((shift - 1) * sigma));

    // Evenly between the shifted levels of the first and the last training step, and shifted once more.
    private IEnumerable<double> EulerSigmas(int steps)
    {
        var (most, least) = (Shifted(1, Shift), Shifted(1.0 / NumTrainTimesteps, Shift));
        return Enumerable
            .Range(0, steps)
            .Select(i => Shifted(steps == 1 ? most : most + ((least - most) * i / (steps - 1)), Shift));
    }

    // Evenly from the level before the last training step, in the order of numpy's linspace, which decides how times are
    // truncated.
    private IEnumerable<double> SolverSigmas(int steps)
    {
        var last = 1.0 / NumTrainTimesteps;
        var step = (last - 1) / steps;
        return Enumerable.Range(0, steps).Select(i => Shifted(1 - (i == 0 ? last : ((steps - i) * step) + 1), Shift));
    }
}
