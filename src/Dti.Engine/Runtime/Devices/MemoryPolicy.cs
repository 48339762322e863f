using TorchSharp;

namespace Dti.Engine.Runtime.Devices;

/// <summary>What a model trades for memory. The one place where that is chosen.</summary>
/// <param name="Name"><c>low</c>, <c>balanced</c> or <c>high</c>: how much memory there is.</param>
/// <param name="AutoencoderTile">
/// Side in pixels above which images go through the autoencoder in overlapping tiles of that side, and differ a
/// little from those of the whole; null: never.
/// </param>
/// <param name="OffloadIdle">Components wait in the host's memory while others compute. On a CPU there is nothing to
/// gain: they stay where they are.</param>
/// <param name="KeepTransposed">Training on a CPU keeps its packed weights a second time, transposed for the backward
/// pass, instead of using the plain ones there.</param>
/// <param name="CheckpointActivations">Training keeps the inputs of blocks only and computes the rest a second
/// time.</param>
public sealed record MemoryPolicy(
    string Name,
    int? AutoencoderTile,
    bool OffloadIdle,
    bool KeepTransposed,
    bool CheckpointActivations
)
{
    /// <summary>What <c>memory</c> settings accept.</summary>
    public const string Names = "auto, low, balanced or high";

    private const string Auto = "auto";

    /// <summary>
    /// Whether weights are packed for the processor (<see cref="Kernels.WeightPacking"/>); null: where it pays.
    /// </summary>
    internal bool? PacksWeights { get; init; }

    /// <summary>Nothing is traded.</summary>
    public static MemoryPolicy High { get; } =
        new("high", AutoencoderTile: null, OffloadIdle: false, KeepTransposed: true, CheckpointActivations: false);

    /// <summary>What costs little time.</summary>
    public static MemoryPolicy Balanced { get; } =
        new("balanced", AutoencoderTile: 1024, OffloadIdle: true, KeepTransposed: false, CheckpointActivations: false);

    /// <summary>
    /// Everything; a training step takes a third longer, and about twice as long where weights are packed
    /// (docs/performance.md).
    /// </summary>
    public static MemoryPolicy Low { get; } =
        new("low", AutoencoderTile: 512, OffloadIdle: true, KeepTransposed: false, CheckpointActivations: true);

    /// <summary>Whether a setting is one of <see cref="Names"/>.</summary>
    public static bool IsName(string name) => name == Auto || Find(name) is not null;

    /// <summary>
    /// Chooses. <c>auto</c>: low where the device has less than twice the memory that the weights take, balanced below
    /// four times, which from three times on keeps transposed weights all the same, else high; balanced where its
    /// memory is not known.
    /// </summary>
    /// <param name="name"><see cref="Names"/>; null: auto.</param>
    /// <param name="weightBytes">Bytes of the model's weights as they are held.</param>
    /// <param name="target">Where it computes.</param>
    /// <exception cref="DtiException">An unknown name.</exception>
    public static MemoryPolicy Resolve(string? name, long weightBytes, ComputeTarget target)
    {
        var policy = name is null or Auto
            ? Fitting(weightBytes, DeviceMemory.TotalBytes(target.Device))
            : Find(name)
                ?? throw new DtiException(
                    ErrorKind.InvalidArgument,
                    $"memory '{name}' is not one of {Names}.",
                    "memory"
                );
        return target.Device.type == DeviceType.CPU
            ? policy with
            {
                OffloadIdle = false,
                KeepTransposed = policy.KeepTransposed && !target.HoldsNarrower,
            }
            : policy;
    }

    private static MemoryPolicy? Find(string name) => Array.Find([Low, Balanced, High], policy => policy.Name == name);

    /// <summary>What goes with a device of that much memory.</summary>
    internal static MemoryPolicy Fitting(long weightBytes, long? deviceBytes) =>
        deviceBytes is not { } bytes ? Balanced
        : bytes < 2 * weightBytes ? Low
        : bytes < 3 * weightBytes ? Balanced
        : bytes < 4 * weightBytes ? Balanced with { KeepTransposed = true }
        : High;
}
