using static TorchSharp.torch;

namespace Dti.Engine.Runtime.Devices;

/// <summary>How many threads libtorch computes with on a CPU.</summary>
public static class ComputeThreads
{
    private const string OpenMp = "OMP_NUM_THREADS";

    /// <summary>
    /// For the calling thread, and for all that compute after it: no more than the process may use. libtorch counts the
    /// machine's cores, also where a container's quota leaves fewer; its threads then wait for each other while they
    /// are not let run. What OMP_NUM_THREADS says stays.
    /// </summary>
    public static void Fit() => Fit(Environment.ProcessorCount, Environment.GetEnvironmentVariable(OpenMp));

    /// <param name="usable">Cores that the process may use, quota included.</param>
    /// <param name="asked">The value of OMP_NUM_THREADS; null: none.</param>
    internal static void Fit(int usable, string? asked)
    {
        if (string.IsNullOrEmpty(asked))
        {
            set_num_threads(Math.Min(get_num_threads(), usable));
        }
    }
}
