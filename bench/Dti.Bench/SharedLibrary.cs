using System.Diagnostics;
using Dti.Engine.Concepts;
using Dti.Server.Configuration;
using Dti.Server.Libraries;
using Dti.Server.Security;
using Dti.Server.Services;
using Dti.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dti.Bench;

/// <summary>
/// How long a gateway takes to list a library that the hosts of a cluster share, and to list it with a concept that
/// another host has just added.
/// </summary>
internal static class SharedLibrary
{
    public static int Run(Arguments arguments)
    {
        var table = new Table(
            "concepts",
            "first host builds the index ms",
            "another host reads it ms",
            "list and first page, median ms",
            "longest ms",
            "with a change by another host, median ms",
            "longest of those ms"
        );
        foreach (var count in arguments.Text("--counts", "1000,10000,100000").Split(',').Select(int.Parse))
        {
            var folder = Directory.CreateTempSubdirectory("dti-shared-library-");
            try
            {
                Measure(folder.FullName, count, arguments.Number("--changes", 50), table);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }

        table.Save(
            "shared-library",
            "Listing a library that several hosts share (`Dti.Bench shared-library`): the caller's list and its first page, in the server. Each host is an instance of its own on a local disk. With NFS, a change is visible after the mount's `actimeo` at the latest."
        );
        return 0;
    }

    private static void Measure(string folder, int count, int changes, Table table)
    {
        for (var i = 0; i < count; i++)
        {
            ListedConcept.Write(folder, i, owner: $"caller-{i % 8}");
        }

        var began = Stopwatch.GetTimestamp();
        using var worker = Library(folder);
        var built = Milliseconds(began);
        began = Stopwatch.GetTimestamp();
        using var gateway = Library(folder);
        List(gateway, count);
        var read = Milliseconds(began);
        double[] again = [.. Enumerable.Range(0, changes).Select(_ => List(gateway, count)).Order()];
        List<double> afterChange = [];
        for (var i = 0; i < changes; i++)
        {
            worker
                .For(Caller.Local)
                .SaveLearnt(
                    new Concept { Name = $"added-{i}", Family = "sd1" },
                    new(
                        $"<added-{i}>",
                        [
                            DirectionalVectors.FromEmbeddings([
                                [1, 2, 3],
                            ]),
                        ]
                    ),
                    default,
                    default
                );
            afterChange.Add(List(gateway, count + i + 1));
        }

        afterChange.Sort();
        table.Add(
            $"{count}",
            $"{built:F0}",
            $"{read:F0}",
            $"{again[again.Length / 2]:F2}",
            $"{again[^1]:F2}",
            $"{afterChange[changes / 2]:F2}",
            $"{afterChange[^1]:F2}"
        );
    }

    private static ConceptLibrary Library(string folder) =>
        new(
            new DtiServerOptions
            {
                ConceptFolder = folder,
                Cluster = new ClusterOptions { Connection = "localhost:6379" },
            },
            TimeProvider.System,
            NullLogger<ConceptLibrary>.Instance
        );

    private static double List(ConceptLibrary library, int count)
    {
        var began = Stopwatch.GetTimestamp();
        var all = library.For(Caller.Local).List();
        var page = ConceptPages.Of(all, 0, "");
        var took = Milliseconds(began);
        return all.Count == count && page.Concepts.Count == Math.Min(count, 1000)
            ? took
            : throw new InvalidOperationException("Concepts are missing.");
    }

    private static double Milliseconds(long began) => Stopwatch.GetElapsedTime(began).TotalMilliseconds;
}
