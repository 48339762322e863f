using Dti.Engine.Models;
using Dti.Engine.Runtime;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace Dti.Server.Libraries;

/// <summary>The models in memory, under <see cref="DtiServerOptions.ModelMemoryBytes"/>.</summary>
internal sealed class ModelCache(DtiServerOptions options, ComputeTarget standard, ILogger<ModelCache> logger) : IDisposable
{
    private const double DefaultShare = 0.8; // the rest is for what they compute
    private readonly MemoryBudget _memory = new(options.ModelMemoryBytes ?? (long)(DefaultShare * (DeviceMemory.TotalBytes(standard.Device) ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)));

    /// <summary>Bytes that models may take together.</summary>
    public long BudgetBytes => _memory.Bytes;

    /// <summary>Bytes that a model takes in the server's dtype.</summary>
    public long MemoryBytes(ModelProfile profile) => profile.HeldBytes(standard);

    /// <summary>Whether a model is in memory now.</summary>
    public bool Holds(ModelProfile profile) => _memory.Holds(key => ((ModelKey)key).Profile.Path == profile.Path);

    /// <summary>Checks that a model fits.</summary>
    /// <exception cref="Dti.Engine.DtiException">It does not; the message has the numbers.</exception>
    public void EnsureFits(ModelProfile profile, ComputeTarget target) => _memory.EnsureFits(NameOf(profile, target), profile.HeldBytes(target));

    /// <summary>Takes a model into use, loaded if need be. It belongs to this cache.</summary>
    /// <exception cref="Dti.Engine.DtiException">It cannot be loaded, or does not fit.</exception>
    /// <exception cref="Grpc.Core.RpcException">What others use leaves no room.</exception>
    public Lease<StableDiffusionModel> Use(ModelProfile profile, ComputeTarget target) =>
        _memory.Rent(new ModelKey(profile, target.DeviceName, target.Dtype), NameOf(profile, target), profile.HeldBytes(target), () =>
        {
            using var phase = Tracing.Phase("load");
            var model = StableDiffusionModel.Load(profile, target, MemoryPolicy.Resolve(options.Memory, profile.HeldBytes(target), target));
            logger.ModelLoaded(profile.Name, target.DeviceName, target.DtypeName, model.Memory.Name);
            return model;
        });

    public void Dispose() => _memory.Dispose();

    private static string NameOf(ModelProfile profile, ComputeTarget target) => $"Model '{profile.Name}' in {target.DtypeName}";

    private sealed record ModelKey(ModelProfile Profile, string Device, ScalarType Dtype);
}
