using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Planning;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Libraries;

/// <summary>The models in memory, under <see cref="DtiServerOptions.ModelMemoryBytes"/>.</summary>
internal sealed class ModelCache(DtiServerOptions options, ComputeTarget standard, ILogger<ModelCache> logger)
    : IDisposable
{
    private const double DefaultShare = 0.8; // the rest is for what they compute
    private readonly long _jobBytes = options.JobMemoryBytes ?? DeviceBytes(standard);
    private readonly MemoryBudget _memory = new(
        options.ModelMemoryBytes ?? (long)(DefaultShare * DeviceBytes(standard)),
        options.JobMemoryBytes ?? DeviceBytes(standard)
    );

    /// <summary>Bytes that models may take together.</summary>
    public long BudgetBytes => _memory.Bytes;

    /// <summary>Bytes that a job may take, its model included.</summary>
    public long JobBytes => _jobBytes;

    /// <summary>Bytes of the models that jobs use now.</summary>
    public long UsedBytes => _memory.UsedBytes;

    /// <summary>What a model trades for memory in the server's dtype.</summary>
    public MemoryPolicy PolicyOf(ModelProfile profile) => Policy(profile, standard);

    /// <summary>Bytes that a model takes in the server's dtype.</summary>
    public long MemoryBytes(ModelProfile profile) => profile.HeldBytes(standard);

    /// <summary>Whether a model is in memory now.</summary>
    public bool Holds(ModelProfile profile) => _memory.Holds(key => ((ModelKey)key).Profile.Path == profile.Path);

    /// <summary>Checks that a model fits.</summary>
    /// <exception cref="Dti.Engine.DtiException">It does not; the message has the numbers.</exception>
    public void EnsureFits(ModelProfile profile, ComputeTarget target) =>
        _memory.EnsureFits(NameOf(profile, target), profile.HeldBytes(target));

    /// <summary>Estimated working memory of a training in bytes, without the weights.</summary>
    public long WorkingBytes(
        ModelProfile profile,
        ComputeTarget target,
        TrainingSettings settings,
        TrainingSetSize photos
    ) => MemoryEstimate.OfTraining(profile, target, Policy(profile, target), settings, photos);

    /// <summary>Estimated working memory of a generation in bytes, without the weights.</summary>
    public long WorkingBytes(ModelProfile profile, ComputeTarget target, GenerationSettings settings) =>
        MemoryEstimate.OfGeneration(profile, target, Policy(profile, target), settings);

    /// <summary>The same under a memory policy of another server: low, balanced or high.</summary>
    public static long WorkingBytes(
        ModelProfile profile,
        ComputeTarget target,
        string memory,
        TrainingSettings settings,
        TrainingSetSize photos
    ) => MemoryEstimate.OfTraining(profile, target, Policy(memory, profile, target), settings, photos);

    /// <inheritdoc cref="WorkingBytes(ModelProfile, ComputeTarget, string, TrainingSettings, TrainingSetSize)"/>
    public static long WorkingBytes(
        ModelProfile profile,
        ComputeTarget target,
        string memory,
        GenerationSettings settings
    ) => MemoryEstimate.OfGeneration(profile, target, Policy(memory, profile, target), settings);

    /// <summary>Checks that a training fits with its model.</summary>
    /// <exception cref="Dti.Engine.DtiException">The model alone does not fit.</exception>
    /// <exception cref="Dti.Engine.DtiException">Both do not (RESOURCE_EXHAUSTED); the message has the numbers.</exception>
    public void EnsureFits(
        ModelProfile profile,
        ComputeTarget target,
        TrainingSettings settings,
        TrainingSetSize photos
    ) =>
        EnsureFits(
            profile,
            target,
            WorkingBytes(profile, target, settings, photos),
            $"Training with batches of {settings.BatchSize} crops of {settings.Resolution} × {settings.Resolution}",
            photos.PeakBytes > 1L << 30
                ? $"a smaller batch or resolution, or fewer photos, which take {MemoryBudget.GiB(photos.PeakBytes)}"
                : "a smaller batch or resolution"
        );

    /// <summary>Checks that a generation fits with its model.</summary>
    /// <inheritdoc cref="EnsureFits(ModelProfile, ComputeTarget, TrainingSettings, TrainingSetSize)"/>
    public void EnsureFits(ModelProfile profile, ComputeTarget target, GenerationSettings settings) =>
        EnsureFits(
            profile,
            target,
            WorkingBytes(profile, target, settings),
            $"An image of {settings.Width} × {settings.Height}",
            "a smaller image"
        );

    /// <summary>Takes a model into use, loaded if need be. It belongs to this cache.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it computes.</param>
    /// <param name="workingBytes">Working memory of the job in bytes, for which idle models are evicted.</param>
    /// <exception cref="Dti.Engine.DtiException">It cannot be loaded, or does not fit.</exception>
    /// <exception cref="Dti.Engine.DtiException">What others use leaves no room.</exception>
    public Lease<IDiffusionModel> Use(ModelProfile profile, ComputeTarget target, long workingBytes = 0) =>
        _memory.Rent(
            new ModelKey(profile, target.DeviceName, target.DtypeName),
            NameOf(profile, target),
            profile.HeldBytes(target),
            () =>
            {
                using var phase = Tracing.Phase("load");
                var model = profile.Load(target, Policy(profile, target));
                logger.ModelLoaded(profile.Name, target.DeviceName, target.DtypeName, model.Memory.Name);
                return model;
            },
            workingBytes
        );

    public void Dispose() => _memory.Dispose();

    private void EnsureFits(ModelProfile profile, ComputeTarget target, long workingBytes, string what, string smaller)
    {
        EnsureFits(profile, target);
        var held = profile.HeldBytes(target);
        if (held + workingBytes > _jobBytes)
        {
            throw Refusals.JobTooLarge(
                $"{what} takes about {MemoryBudget.GiB(held + workingBytes)} of memory with '{profile.Name}' in {target.DtypeName}, of which {MemoryBudget.GiB(held)} are the model; "
                    + $"a job may take {MemoryBudget.GiB(_jobBytes)} here. Ask for {smaller}, or have the server started with --memory low.",
                held + workingBytes,
                _jobBytes
            );
        }
    }

    private MemoryPolicy Policy(ModelProfile profile, ComputeTarget target) => Policy(options.Memory, profile, target);

    private static MemoryPolicy Policy(string memory, ModelProfile profile, ComputeTarget target) =>
        MemoryPolicy.Resolve(memory, profile.HeldBytes(target), target);

    private static long DeviceBytes(ComputeTarget target) =>
        DeviceMemory.TotalBytes(target.Device) ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    private static string NameOf(ModelProfile profile, ComputeTarget target) =>
        $"Model '{profile.Name}' in {target.DtypeName}";

    private sealed record ModelKey(ModelProfile Profile, string Device, string Dtype);
}
