using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Devices;

/// <summary>How much memory a device has.</summary>
public static class DeviceMemory
{
    private delegate int Init(uint flags);

    private delegate int GetDevice(out int device, int ordinal);

    private delegate int GetTotal(out nuint bytes, int device);

    /// <summary>
    /// Bytes in all; null: unknown. Of the CPU, what this process may use: a container's limit counts.
    /// </summary>
    public static long? TotalBytes(Device device) =>
        device.type == DeviceType.CUDA
            ? CudaBytes(Math.Max(0, device.index))
            : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>
    /// Asks CUDA's driver, which counts devices as torch does; torch's own answer is not within TorchSharp's reach.
    /// </summary>
    private static long? CudaBytes(int ordinal)
    {
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out var driver))
        {
            return null;
        }

        return
            Export<Init>("cuInit")(0) == 0
            && Export<GetDevice>("cuDeviceGet")(out var device, ordinal) == 0
            && Export<GetTotal>("cuDeviceTotalMem_v2")(out var bytes, device) == 0
            ? (long)bytes
            : null;

        T Export<T>(string name) => Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(driver, name));
    }
}
