using System.Text.Json;
using System.Text.Json.Nodes;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Runtime;
using Dti.Engine.Runtime.Files;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// A training run as it was after a step: embeddings, optimisers, states of chance, order of the photos. With the same
/// model, settings and photos the run continues from it, bit-identical to an uninterrupted run; more steps may be asked
/// for (where η or κ decays, it then decays over all of them).
/// </summary>
public sealed class TrainingSnapshot : IDisposable
{
    internal const string NoiseState = "noise_state";
    private const string Key = "dti.snapshot";

    // What a run may change and go on from: how long it goes, and what it shows.
    private static readonly string[] _free =
    [
        nameof(TrainingSettings.Steps),
        nameof(TrainingSettings.PreviewEvery),
        nameof(TrainingSettings.PreviewPrompts),
        nameof(TrainingSettings.PreviewSteps),
        nameof(TrainingSettings.PreviewBaseline),
        nameof(TrainingSettings.SnapshotEvery),
        nameof(TrainingSettings.Warnings),
    ];

    private readonly IReadOnlyDictionary<string, Tensor> _tensors;
    private readonly JsonObject _described;

    internal TrainingSnapshot(
        int step,
        double lossSum,
        Pcg32State random,
        IReadOnlyList<int> round,
        IReadOnlyList<TrainingCheck> checks,
        JsonObject described,
        IReadOnlyDictionary<string, Tensor> tensors
    )
    {
        (Step, LossSum, Random, Round, Checks) = (step, lossSum, random, round, checks);
        (_described, _tensors) = (described, tensors);
    }

    /// <summary>Steps done.</summary>
    public int Step { get; }

    /// <summary>The moving average of the loss, before its bias is corrected.</summary>
    internal double LossSum { get; }

    /// <summary>Of crops, captions and the photos' order.</summary>
    internal Pcg32State Random { get; }

    /// <summary>Photos of this round that are still to come, in order.</summary>
    internal IReadOnlyList<int> Round { get; }

    /// <summary>Checks so far.</summary>
    internal IReadOnlyList<TrainingCheck> Checks { get; }

    /// <summary>Reads a file that <see cref="Write"/> wrote.</summary>
    /// <exception cref="DtiException">It is no such file, or it cannot be read.</exception>
    public static TrainingSnapshot Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        try
        {
            var state = JsonSerializer.Deserialize<Header>(file.Metadata.GetValueOrDefault(Key, "null"))
                ?? throw new JsonException($"its header has no '{Key}'");
            using var scope = NewDisposeScope();
            var tensors = file.Tensors.Keys.ToDictionary(
                name => name,
                name => file.Read(name).DetachFromDisposeScope()
            );
            return new TrainingSnapshot(
                state.Step,
                state.LossSum,
                new Pcg32State(state.Random[0], state.Random[1]),
                state.Round,
                state.Checks,
                state.Run,
                tensors
            );
        }
        catch (Exception error) when (error is JsonException or IndexOutOfRangeException)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} is not a snapshot of a training: {error.Message}",
                innerException: error
            );
        }
    }

    /// <summary>Writes a safetensors file; it appears whole or not at all.</summary>
    /// <param name="path">The file; an older one is replaced.</param>
    /// <param name="files">The disk; null: the system's.</param>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written.</exception>
    public void Write(string path, IFileStore? files = null) =>
        SafetensorsWriter.Write(
            path,
            _tensors,
            new Dictionary<string, string>
            {
                [Key] = JsonSerializer.Serialize(
                    new Header(Step, LossSum, [Random.State, Random.Increment], Round, Checks, _described)
                ),
            },
            files
        );

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }
    }

    /// <summary>What a run is by: settings and photos.</summary>
    internal static JsonObject Describe(TrainingSettings settings, TrainingSet photos)
    {
        var run = JsonSerializer.SerializeToNode(settings)!.AsObject();
        Array.ForEach(_free, field => run.Remove(field));
        if (settings.LearningRateSchedule == LearningRateSchedule.Constant)
        {
            run.Remove(nameof(TrainingSettings.LearningRateSchedule)); // as in snapshots of version 0.1.0
        }

        if (settings.Start == TrainingStart.Word)
        {
            run.Remove(nameof(TrainingSettings.Start)); // as in snapshots of version 0.1.0
        }

        run["Photos"] = new JsonArray([
            .. Enumerable.Range(0, photos.Count).Select(i => JsonValue.Create(photos.Fingerprint(i))),
        ]);
        return run;
    }

    /// <summary>Checks that a run is the one that this was taken of.</summary>
    /// <param name="asked">What <see cref="Describe"/> says of the run.</param>
    /// <param name="steps">Steps asked.</param>
    /// <exception cref="DtiException">It is another, the message names what differs; or it is done already.</exception>
    internal void EnsureContinues(JsonObject asked, int steps)
    {
        string[] differing =
        [
            .. asked
                .Select(field => field.Key)
                .Union(_described.Select(field => field.Key))
                .Where(key => !JsonNode.DeepEquals(asked[key], _described[key])),
        ];
        if (differing.Length > 0)
        {
            var names = string.Join(", ", differing.Select(JsonNamingPolicy.SnakeCaseLower.ConvertName));
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The snapshot of step {Step} was taken with other {names}; a run can only be resumed with its original ones. Leave them unchanged, or start a new training."
            );
        }

        if (Step >= steps)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{Step} steps are done already, and {steps} were asked for; ask for more steps to train further.",
                "steps"
            );
        }
    }

    /// <summary>A tensor of the state, owned by the snapshot.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">What it must measure; null: anything.</param>
    /// <exception cref="DtiException">It is missing or measures something else.</exception>
    internal Tensor Get(string name, long[]? shape = null) =>
        _tensors.TryGetValue(name, out var tensor) && (shape is null || tensor.shape.SequenceEqual(shape))
            ? tensor
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The snapshot of step {Step} does not fit: '{name}' is {(tensor is null ? "missing" : $"({string.Join(", ", tensor.shape)})")}."
            );

    private sealed record Header(
        int Step,
        double LossSum,
        ulong[] Random,
        IReadOnlyList<int> Round,
        IReadOnlyList<TrainingCheck> Checks,
        JsonObject Run
    );
}
