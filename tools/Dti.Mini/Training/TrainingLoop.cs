using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dti.Engine.Checkpoints;
using static TorchSharp.torch;

namespace Dti.Mini.Training;

/// <summary>Settings of a training run.</summary>
/// <param name="Steps">Optimiser steps in all.</param>
/// <param name="LearningRate">At its highest.</param>
/// <param name="Warmup">Steps until then; afterwards it falls as a cosine to a hundredth.</param>
/// <param name="WeightDecay">Of matrices and kernels.</param>
/// <param name="Average">Share of the old weights in the moving average.</param>
/// <param name="Muon">Matrices by Muon instead of AdamW.</param>
internal sealed record LoopSettings(
    int Steps,
    double LearningRate,
    int Warmup,
    double WeightDecay,
    double Average,
    bool Muon = false
);

/// <summary>
/// Trains a model: gradients from one replica per thread, AdamW or Muon, a curve in a file, a state that a killed run
/// goes on from. A batch depends on its step alone, so that a run that was resumed saw what an unbroken one would have
/// seen.
/// </summary>
/// <typeparam name="T">The model.</typeparam>
internal sealed class TrainingLoop<T>
{
    private static readonly TimeSpan _longestUnsaved = TimeSpan.FromMinutes(2);
    private readonly string _folder;
    private readonly string _name;
    private readonly LoopSettings _settings;
    private readonly FreshWeights _weights;
    private readonly int _saveEvery;
    private readonly FlatOptimizer _optimizer;
    private readonly (T Model, IReadOnlyList<Tensor> Leaves)[] _replicas;

    /// <param name="folder">Of states and curves.</param>
    /// <param name="name">Of this run.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="build">Builds the model over them.</param>
    /// <param name="threads">Replicas, each on a thread of its own.</param>
    /// <param name="saveEvery">Steps between saved states; 0: every two minutes.</param>
    /// <param name="start">Gives the weights other values than fresh ones to start from, in a run that was not yet
    /// saved; null: nothing.</param>
    public TrainingLoop(
        string folder,
        string name,
        LoopSettings settings,
        FreshWeights weights,
        Func<T> build,
        int threads,
        int saveEvery = 0,
        Action<FreshWeights>? start = null
    )
    {
        (_folder, _name, _settings, _weights, _saveEvery) = (folder, name, settings, weights, saveEvery);
        Directory.CreateDirectory(folder);
        _replicas =
        [
            (build(), weights.Leaves),
            .. Enumerable.Range(1, threads - 1).Select(_ => weights.Replica(build)),
        ];
        start?.Invoke(weights);
        _optimizer = new FlatOptimizer(weights, settings.WeightDecay, muon: settings.Muon);
        set_num_threads(1);
    }

    private string StatePath => Path.Combine(_folder, _name + ".state.safetensors");

    private string CurvePath => Path.Combine(_folder, _name + ".curve.jsonl");

    /// <summary>The moving average of the weights by name.</summary>
    public Dictionary<string, Tensor> Averaged => _weights.Named(_optimizer.Average);

    /// <summary>Trains to the end, from where an earlier run stopped.</summary>
    /// <param name="loss">Loss of one replica's share of a step, and numbers to log: (model, step, replica).</param>
    /// <param name="each">Called every so many steps.</param>
    /// <param name="evaluate">Numbers to log, from the model under the averaged weights.</param>
    public void Run(
        Func<T, int, int, (Tensor Loss, Dictionary<string, double> Logs)> loss,
        int each,
        Func<T, Dictionary<string, double>> evaluate
    )
    {
        var first = Load() + 1;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{_name}: {_weights.Count:N0} weights, from step {first} to {_settings.Steps}"
            )
        );
        var clock = Stopwatch.StartNew();
        var saved = Stopwatch.StartNew();
        var mean = new Dictionary<string, double>();
        for (var step = first; step <= _settings.Steps; step++)
        {
            foreach (var (key, value) in Step(step, loss))
            {
                mean[key] =
                    mean.TryGetValue(key, out var before) && double.IsFinite(value)
                        ? before + ((value - before) * 0.02)
                        : value;
            }

            if (step % each == 0 || step == _settings.Steps)
            {
                var logs = new Dictionary<string, double>(mean)
                {
                    ["step"] = step,
                    ["seconds_per_step"] = clock.Elapsed.TotalSeconds / (step - first + 1),
                };
                foreach (var (key, value) in WithAverage(evaluate))
                {
                    logs["eval_" + key] = value;
                }

                File.AppendAllText(CurvePath, JsonSerializer.Serialize(logs) + "\n");
                var left = TimeSpan.FromSeconds(
                    clock.Elapsed.TotalSeconds / (step - first + 1) * (_settings.Steps - step)
                );
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{_name} {step}/{_settings.Steps}  {string.Join("  ", logs.Where(log => log.Key != "step").Select(log => $"{log.Key} {log.Value:G4}"))}  {left:h\\:mm\\:ss} left"
                    )
                );
            }

            if (step == _settings.Steps || (_saveEvery > 0 ? step % _saveEvery == 0 : saved.Elapsed > _longestUnsaved))
            {
                Save(step);
                saved.Restart();
            }
        }
    }

    private Dictionary<string, double> Step(
        int step,
        Func<T, int, int, (Tensor Loss, Dictionary<string, double> Logs)> loss
    )
    {
        var logs = new Dictionary<string, double>[_replicas.Length];
        void Compute(int replica)
        {
            set_num_threads(1);
            using var scope = NewDisposeScope();
            var (value, log) = loss(_replicas[replica].Model, step, replica);
            (value / _replicas.Length).backward();
            log["loss"] = value.item<float>();
            logs[replica] = log;
        }

        if (_replicas.Length == 1)
        {
            Compute(0);
        }
        else
        {
            Parallel.For(
                0,
                _replicas.Length,
                new ParallelOptions { MaxDegreeOfParallelism = _replicas.Length },
                Compute
            );
        }

        var norm = _optimizer.Step(
            [.. _replicas.Select(replica => replica.Leaves)],
            step,
            LearningRate(step),
            _settings.Average
        );
        var merged = logs[0].ToDictionary(log => log.Key, log => logs.Average(other => other[log.Key]));
        merged["grad"] = norm;
        return merged;
    }

    private double LearningRate(int step) =>
        step <= _settings.Warmup
            ? _settings.LearningRate * step / _settings.Warmup
            : _settings.LearningRate
                * (
                    0.01
                    + (
                        0.99
                        * 0.5
                        * (
                            1
                            + Math.Cos(
                                Math.PI * (step - _settings.Warmup) / Math.Max(1, _settings.Steps - _settings.Warmup)
                            )
                        )
                    )
                );

    /// <summary>Calls with the averaged weights in place.</summary>
    public TResult WithAverage<TResult>(Func<T, TResult> call)
    {
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        _weights.Compute.copy_(_optimizer.Average);
        var result = call(_replicas[0].Model);
        _weights.Compute.copy_(_weights.Master);
        return result;
    }

    private int Load()
    {
        if (!File.Exists(StatePath))
        {
            return 0;
        }

        using var file = SafetensorsFile.Open(StatePath);
        using var frozen = no_grad();
        foreach (var (name, tensor) in State())
        {
            file.ReadInto(name, tensor);
        }

        _weights.Compute.copy_(_weights.Master);
        var step = int.Parse(file.Metadata["step"], CultureInfo.InvariantCulture);
        if (File.Exists(CurvePath))
        {
            // What was logged after the state was saved comes again.
            File.WriteAllLines(
                CurvePath,
                File.ReadAllLines(CurvePath)
                    .Where(line => JsonDocument.Parse(line).RootElement.GetProperty("step").GetDouble() <= step)
            );
        }

        return step;
    }

    private void Save(int step) =>
        SafetensorsWriter.Write(
            StatePath,
            State(),
            new Dictionary<string, string> { ["step"] = step.ToString(CultureInfo.InvariantCulture) }
        );

    private Dictionary<string, Tensor> State() =>
        new()
        {
            ["weights"] = _weights.Master,
            ["first_moment"] = _optimizer.FirstMoment,
            ["second_moment"] = _optimizer.SecondMoment,
            ["average"] = _optimizer.Average,
        };
}
