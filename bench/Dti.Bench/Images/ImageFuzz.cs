using System.Diagnostics;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using Dti.Engine;
using Dti.Engine.Imaging;

namespace Dti.Bench.Images;

/// <summary>
/// Mutated images through a decoder, in a separate process. If that process crashes or does not finish a file, the
/// file is counted and the next process continues behind it.
/// </summary>
internal static class ImageFuzz
{
    public const string Verb = "decode-mutated-images";

    /// <summary>Most memory that one file may take, of at most a million pixels.</summary>
    public const long MemoryBound = 64L << 20;

    private const int Pixels = 1_000_000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    /// <summary>What became of the files.</summary>
    public sealed record Outcome
    {
        public int Decoded { get; set; }

        public int Refused { get; set; }

        /// <summary>Exceptions that are no refusal.</summary>
        public int Failed { get; set; }

        public int Crashed { get; set; }

        public int Hung { get; set; }

        public int BeyondMemory { get; set; }

        public long MostMemory { get; set; }

        public double SlowestSeconds { get; set; }

        /// <summary>The first files of each kind of failure, by number.</summary>
        public List<string> Examples { get; } = [];
    }

    /// <summary>Decodes the files 0 to <paramref name="count"/> of a seed.</summary>
    public static Outcome Run(string library, int count, int seed)
    {
        var outcome = new Outcome();
        for (var next = 0; next < count; )
        {
            var place = Path.GetTempFileName();
            using var current = Share(place);
            using var position = current.CreateViewAccessor();
            position.Write(0, next);
            using var process = Process.Start(
                new ProcessStartInfo(Environment.ProcessPath!, [Verb, library, $"{next}", $"{count}", $"{seed}", place])
                {
                    RedirectStandardOutput = true,
                    Environment = { ["DOTNET_GCgen0size"] = "400000" }, // 4 MiB, so that garbage does not count as growth
                }
            )!;
            var lines = Task.Run(() => Read(process.StandardOutput, outcome));
            var hung = !Wait(process, position);
            process.WaitForExit();
            lines.Wait();
            next = position.ReadInt32(0);
            if (hung || process.ExitCode != 0)
            {
                outcome.Hung += hung ? 1 : 0;
                outcome.Crashed += hung ? 0 : 1;
                outcome.Examples.Add(hung ? $"{next} hung" : $"{next} exit {process.ExitCode}");
                next++;
            }

            File.Delete(place);
        }

        return outcome;
    }

    /// <summary>The other process: decodes, and writes a line for what is to be counted.</summary>
    public static int RunHere(string library, int first, int count, int seed, string place)
    {
        var decoder = ImageComparison.Decoders.Single(decoder => decoder.Name == library);
        var mutator = new ImageMutator([.. SampleFiles.Small().Select(sample => sample.File)], (ulong)seed);
        var limits = new ImageLimits { MaxPixels = Pixels };
        foreach (var (_, sample) in SampleFiles.Small())
        {
            TryDecode(decoder, sample, limits); // what is made once, on first use, is not a file's
        }

        using var current = Share(place);
        using var position = current.CreateViewAccessor();
        for (var number = first; number < count; number++)
        {
            position.Write(0, number);
            var file = mutator.File(number);
            File.WriteAllText("/proc/self/clear_refs", "5"); // the peak starts again
            var before = ProcessMemory.ResidentBytes;
            var began = Stopwatch.GetTimestamp();
            var result = TryDecode(decoder, file, limits);
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{number} {result} {ProcessMemory.PeakBytes - before} {seconds:F4}"
                )
            );
        }

        position.Write(0, count);
        return 0;
    }

    private static string TryDecode(IImageDecoder decoder, byte[] file, ImageLimits limits)
    {
        try
        {
            decoder.Decode(file, limits);
            return "decoded";
        }
        catch (DtiException)
        {
            return "refused";
        }
        catch (Exception error)
        {
            return error.GetType().Name;
        }
    }

    /// <summary>False: a file took longer than the patience, and the process was ended.</summary>
    private static bool Wait(Process process, MemoryMappedViewAccessor position)
    {
        var (last, since) = (-1, Stopwatch.GetTimestamp());
        while (!process.WaitForExit(500))
        {
            var now = position.ReadInt32(0);
            if (now != last)
            {
                (last, since) = (now, Stopwatch.GetTimestamp());
            }
            else if (Stopwatch.GetElapsedTime(since) > _patience)
            {
                process.Kill();
                return false;
            }
        }

        return true;
    }

    private static void Read(StreamReader reader, Outcome outcome)
    {
        while (reader.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            var memory = long.Parse(words[2], CultureInfo.InvariantCulture);
            outcome.Decoded += words[1] == "decoded" ? 1 : 0;
            outcome.Refused += words[1] == "refused" ? 1 : 0;
            outcome.MostMemory = Math.Max(outcome.MostMemory, memory);
            outcome.SlowestSeconds = Math.Max(
                outcome.SlowestSeconds,
                double.Parse(words[3], CultureInfo.InvariantCulture)
            );
            if (memory > MemoryBound)
            {
                outcome.BeyondMemory++;
                outcome.Examples.Add($"{words[0]} {Table.Mebibytes(memory)} MiB");
            }

            if (words[1] is not ("decoded" or "refused"))
            {
                outcome.Failed++;
                outcome.Examples.Add($"{words[0]} {words[1]}");
            }
        }
    }

    private static MemoryMappedFile Share(string place) =>
        MemoryMappedFile.CreateFromFile(place, FileMode.Open, mapName: null, capacity: 16);
}
