using System.Globalization;
using Dti.Engine.Runtime.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Devices;

/// <summary>
/// Where and in which floating-point type a model computes. The one place where device and dtype are chosen.
/// </summary>
/// <param name="Device">The device.</param>
/// <param name="Dtype">Float32, BFloat16 or Float16.</param>
public sealed record ComputeTarget(Device Device, ScalarType Dtype)
{
    private const long MinPackedElements = 32 << 20;

    /// <summary>What <c>device</c> settings accept.</summary>
    public const string DeviceNames = "auto, cpu, cuda or cuda:N";

    /// <summary>What <c>dtype</c> settings accept.</summary>
    public const string DtypeNames = "auto, fp32, bf16 or fp16";

    /// <summary>
    /// What large components' weights are held in: <see cref="Dtype"/>, or BFloat16 where the processor has no
    /// instructions for it and each layer's weight becomes Float32 while it is used.
    /// </summary>
    public ScalarType HeldDtype { get; init; } = Dtype;

    /// <summary>Whether large weights are held in fewer bytes than what they are computed in.</summary>
    public bool HoldsNarrower => HeldDtype != Dtype;

    /// <summary><c>cpu</c>, <c>cuda:0</c>, …</summary>
    public string DeviceName => Device.type == DeviceType.CUDA ? $"cuda:{Math.Max(0, Device.index)}" : "cpu";

    /// <summary><c>fp32</c>, <c>bf16</c> or <c>fp16</c>, as it was asked for.</summary>
    public string DtypeName =>
        HeldDtype switch
        {
            ScalarType.BFloat16 => "bf16",
            ScalarType.Float16 => "fp16",
            _ => "fp32",
        };

    /// <summary>
    /// Whether a setting is one of <see cref="DeviceNames"/>; whether such a device is here, <see cref="Resolve"/>
    /// says.
    /// </summary>
    public static bool IsDeviceName(string? name) => name is null or "auto" or "cpu" || CudaIndex(name) is not null;

    /// <summary>Whether a setting is one of <see cref="DtypeNames"/>.</summary>
    public static bool IsDtypeName(string? name) => name is null or "auto" or "fp32" or "bf16" or "fp16";

    /// <summary>
    /// Whether weights of this type can be packed here (<see cref="WeightPacking"/>): on a CPU, where libtorch has
    /// oneDNN's kernels for it.
    /// </summary>
    internal bool CanPackWeights => Device.type == DeviceType.CPU && OneDnn.Supports(Dtype);

    /// <summary>Bytes of one number.</summary>
    public int ElementSize => SizeOf(Dtype);

    /// <summary>Bytes of one weight of a large component.</summary>
    public int HeldSize => SizeOf(HeldDtype);

    /// <summary>
    /// Chooses device and dtype. <c>auto</c>: the first CUDA device in bf16 if there is one, else the CPU in fp32. bf16
    /// on a processor without instructions for it: weights are held in bf16, and everything is computed in fp32, since
    /// libtorch's own bf16 is 17 times as slow as its fp32 there.
    /// </summary>
    /// <param name="device"><see cref="DeviceNames"/>; null: auto.</param>
    /// <param name="dtype"><see cref="DtypeNames"/>; null: auto.</param>
    /// <exception cref="DtiException">An unknown name, a device that is not there, or fp16 on the CPU.</exception>
    public static ComputeTarget Resolve(string? device, string? dtype)
    {
        var chosen = ResolveDevice(device ?? "auto");
        var target = new ComputeTarget(chosen, ResolveDtype(dtype ?? "auto", chosen));
        return
            target.Dtype == ScalarType.BFloat16
            && chosen.type == DeviceType.CPU
            && OneDnn.IsAvailable
            && !OneDnn.Supports(ScalarType.BFloat16)
            ? HoldingBFloat16
            : target;
    }

    /// <summary>A CPU that holds weights in bf16 and computes in fp32.</summary>
    internal static ComputeTarget HoldingBFloat16 { get; } =
        new(CPU, ScalarType.Float32) { HeldDtype = ScalarType.BFloat16 };

    /// <summary>
    /// Whether a component's weights are packed here. In small ones a call takes longer than its kernel, and longer for
    /// packed weights: dti-mini's denoiser (5 million) generates at 0.7 times its speed with them, SD 1.5's (860
    /// million) at twice.
    /// </summary>
    /// <param name="elements">Of all its weights.</param>
    internal bool PacksWeights(long elements) => elements >= MinPackedElements && CanPackWeights;

    private static int SizeOf(ScalarType dtype) => dtype == ScalarType.Float32 ? sizeof(float) : sizeof(short);

    private static Device ResolveDevice(string name)
    {
        switch (name)
        {
            case "auto":
                return cuda.is_available() ? new Device(DeviceType.CUDA, 0) : CPU;
            case "cpu":
                return CPU;
        }

        if (CudaIndex(name) is not { } index)
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                $"Device '{name}' is not one of {DeviceNames}.",
                "device"
            );
        }

        var count = cuda.is_available() ? cuda.device_count() : 0;
        return index < count
            ? new Device(DeviceType.CUDA, index)
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"Device '{name}' is not here: {count} CUDA devices were found.",
                "device"
            );
    }

    private static int? CudaIndex(string name) =>
        name == "cuda" ? 0
        : name.StartsWith("cuda:", StringComparison.Ordinal)
        && int.TryParse(name[5..], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? index
        : null;

    private static ScalarType ResolveDtype(string name, Device device) =>
        name switch
        {
            "auto" => device.type == DeviceType.CUDA ? ScalarType.BFloat16 : ScalarType.Float32,
            "fp32" => ScalarType.Float32,
            "bf16" => ScalarType.BFloat16,
            "fp16" when device.type != DeviceType.CPU => ScalarType.Float16,
            "fp16" => throw new DtiException(
                ErrorKind.InvalidArgument,
                "fp16 is too slow and too narrow on a CPU: use fp32 or bf16.",
                "dtype"
            ),
            _ => throw new DtiException(
                ErrorKind.InvalidArgument,
                $"dtype '{name}' is not one of {DtypeNames}.",
                "dtype"
            ),
        };
}
