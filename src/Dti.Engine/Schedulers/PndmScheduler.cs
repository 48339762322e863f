using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// Pseudo linear multistep (arXiv 2202.09778, F-PNDM without Runge-Kutta steps; diffusers' PNDMScheduler with
/// <c>skip_prk_steps</c>): the second timestep is visited twice, so the model is called once more than there are steps.
/// </summary>
public sealed class PndmScheduler : IScheduler
{
    private readonly DdpmProcess _process;
    private readonly int _stride;
    private readonly double[] _timesteps;
    private readonly List<Tensor> _outputs = []; // the last model outputs, newest last, at most 4
    private Tensor? _firstSample;

    /// <summary>Prepares a run.</summary>
    /// <param name="config">The model's config.</param>
    /// <param name="steps">Sampling steps, at most T.</param>
    /// <exception cref="DtiException">Too many steps.</exception>
    public PndmScheduler(SchedulerConfig config, int steps)
    {
        var spread = Schedulers.Timesteps.Spread(config, steps, TimestepSpacing.Leading, roundLinspace: true);
        _timesteps = steps == 1 ? spread : [spread[0], spread[1], .. spread[1..]];
        _stride = config.NumTrainTimesteps / steps;
        _process = new DdpmProcess(config);
    }

    /// <inheritdoc/>
    public IReadOnlyList<double> Timesteps => _timesteps;

    /// <inheritdoc/>
    public double InitNoiseSigma => 1;

    /// <inheritdoc/>
    public Tensor ScaleModelInput(Tensor sample, int call) => sample;

    /// <inheritdoc/>
    public Tensor Step(Tensor modelOutput, int call, Tensor sample, Func<Tensor> noise)
    {
        using var scope = NewDisposeScope();
        var t = (int)_timesteps[call];
        if (call == 1)
        {
            // The repeated call looks again at the step just made, with the mean of both outputs.
            var again = Transfer(_firstSample!, t + _stride, t, (modelOutput + _outputs[^1]) / 2);
            return again.MoveToOuterDisposeScope();
        }

        if (call == 0)
        {
            _firstSample = sample.clone().DetachFromDisposeScope();
        }

        Remember(modelOutput);
        return Transfer(sample, t, t - _stride, Combine()).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Denoised(Tensor modelOutput, int call, Tensor sample) =>
        _process.Denoised(sample, modelOutput, _process.LevelAt((int)_timesteps[call]));

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Dispose();
        _firstSample?.Dispose();
        _outputs.ForEach(output => output.Dispose());
        _outputs.Clear();
    }

    private void Remember(Tensor output)
    {
        _outputs.Add(output.clone().DetachFromDisposeScope());
        if (_outputs.Count > 4)
        {
            _outputs[0].Dispose();
            _outputs.RemoveAt(0);
        }
    }

    /// <summary>Adams–Bashforth of the order that the history allows.</summary>
    private Tensor Combine() =>
        _outputs switch
        {
            [var e1] => e1,
            [var e2, var e1] => ((3 * e1) - e2) / 2,
            [var e3, var e2, var e1] => ((23 * e1) - (16 * e2) + (5 * e3)) / 12,
            [var e4, var e3, var e2, var e1] => ((55 * e1) - (59 * e2) + (37 * e3) - (9 * e4)) / 24,
            _ => throw new InvalidOperationException("no model output yet"),
        };

    /// <summary>φ of the paper's equation 11: from x_t to x_s with the noise estimate.</summary>
    private Tensor Transfer(Tensor sample, int t, int s, Tensor output)
    {
        var (alpha, alphaPrev) = (_process.AlphaAt(t), _process.AlphaAt(s));
        var eps = _process.Noise(sample, output, _process.LevelAt(t));
        var denominator = (alpha * Math.Sqrt(1 - alphaPrev)) + Math.Sqrt(alpha * (1 - alpha) * alphaPrev);
        return (Math.Sqrt(alphaPrev / alpha) * sample) - ((alphaPrev - alpha) / denominator * eps);
    }
}
