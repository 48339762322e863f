using System.Diagnostics;
using System.Globalization;
using Dti.Tests;

namespace Dti.Bench;

/// <summary>
/// Mutated files through the safetensors reader: every one is read or refused, at once and within a bound of memory.
/// </summary>
internal static class Fuzzing
{
    public static int Run(Arguments arguments)
    {
        var (count, seed) = (arguments.Number("--count", 1_000_000), arguments.Number("--seed", 1));
        using var fuzz = new SafetensorsFuzz();
        var mutator = new SafetensorsMutator((ulong)seed);
        var (read, most, slowest, start) = (0, 0.0, TimeSpan.Zero, Stopwatch.GetTimestamp());
        for (var i = 1; i <= count; i++)
        {
            var file = mutator.Next();
            var began = Stopwatch.GetTimestamp();
            SafetensorsOutcome outcome;
            try
            {
                outcome = fuzz.Read(file);
            }
            catch (Exception error)
            {
                Console.Error.WriteLine(
                    $"File {i} of seed {seed} broke the reader: {error}\n{Convert.ToBase64String(file)}"
                );
                return 1;
            }

            var took = Stopwatch.GetElapsedTime(began);
            slowest = took > slowest ? took : slowest;
            most = Math.Max(most, (double)outcome.AllocatedBytes / SafetensorsFuzz.AllocationBound(file.Length));
            read += outcome.Accepted ? 1 : 0;
            if (outcome.AllocatedBytes > SafetensorsFuzz.AllocationBound(file.Length))
            {
                Console.Error.WriteLine(
                    $"File {i} of seed {seed}, {file.Length} bytes, took {outcome.AllocatedBytes} bytes.\n{Convert.ToBase64String(file)}"
                );
                return 1;
            }

            if (i % 100_000 == 0 || i == count)
            {
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{i} files: {read} read, {i - read} refused; slowest {slowest.TotalMilliseconds:F1} ms; most memory {most:P0} of the bound; {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s"
                    )
                );
            }
        }

        return 0;
    }
}
