using System.Diagnostics;
using Dti.Server.Configuration;
using Dti.Server.Libraries;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dti.Bench;

/// <summary>
/// How long listing the library of concepts takes as it grows: first, after the server has read ahead, again, and after
/// others changed one.
/// </summary>
internal static class LibraryGrowth
{
    public static int Run(Arguments arguments)
    {
        var table = new Table(
            "concepts",
            "first ms",
            "read ahead ms",
            "first after that ms",
            "again ms",
            "one edited by hand ms",
            "one added by others ms",
            "files read each time ms"
        );
        var folder = Directory.CreateTempSubdirectory("dti-library-");
        try
        {
            var written = 0;
            foreach (var count in arguments.Text("--counts", "100,10000,100000").Split(',').Select(int.Parse))
            {
                for (; written < count; written++)
                {
                    ListedConcept.Write(folder.FullName, written);
                }

                Thread.Sleep(3000); // files that are older than the file system's clock is coarse are not read twice
                ConceptLibrary Library()
                {
                    var opened = new ConceptLibrary(
                        new DtiServerOptions { ConceptFolder = folder.FullName },
                        TimeProvider.System,
                        NullLogger<ConceptLibrary>.Instance
                    );
                    Thread.Sleep(3000); // it tidies the folder, which is a change like others
                    return opened;
                }

                using var prepared = Library();
                var began = Stopwatch.GetTimestamp();
                prepared.ReadAhead(CancellationToken.None);
                var ahead = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                var afterThat = Milliseconds(prepared, count);
                using var library = Library();
                var first = Milliseconds(library, count);
                var again = Enumerable.Range(0, 9).Select(_ => Milliseconds(library, count)).Order().ElementAt(4);
                File.AppendAllText(Path.Combine(folder.FullName, "concept-7.json"), "\n");
                Thread.Sleep(3000);
                var edited = Milliseconds(library, count);
                var others = Path.Combine(folder.FullName, "others.json");
                File.WriteAllText(others, JsonFormatter.Default.Format(new Concept { Name = "others" }));
                var added = Milliseconds(library, count + 1);
                File.Delete(others);
                began = Stopwatch.GetTimestamp();
                foreach (var file in Directory.EnumerateFiles(folder.FullName, "*.json"))
                {
                    ConceptMetadata.Reader.Parse<Concept>(File.ReadAllText(file));
                }

                table.Add(
                    $"{count}",
                    $"{first:F1}",
                    $"{ahead:F1}",
                    $"{afterThat:F3}",
                    $"{again:F3}",
                    $"{edited:F1}",
                    $"{added:F1}",
                    $"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:F0}"
                );
            }

            table.Save(
                "library",
                "Listing the library of concepts, in the server (`Dti.Bench library`); the message to a client comes on top."
            );
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double Milliseconds(ConceptLibrary library, int count)
    {
        var began = Stopwatch.GetTimestamp();
        return library.List().Count == count
            ? Stopwatch.GetElapsedTime(began).TotalMilliseconds
            : throw new InvalidOperationException("Concepts are missing.");
    }
}
