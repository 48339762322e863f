using System.Diagnostics;
using Dti.Engine.Concepts;
using Dti.Server.Configuration;
using Dti.Server.Libraries;
using Dti.Server.ObjectStorage;
using Dti.Server.Security;
using Dti.Server.Services;
using Dti.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dti.Bench;

/// <summary>
/// How long a gateway takes to list a library that the hosts of a cluster share, as a folder or through
/// <c>Cluster.Storage</c>, and to list it with a concept that another host has just added.
/// </summary>
internal static class SharedLibrary
{
    public static int Run(Arguments arguments)
    {
        var table = new Table(
            "shared",
            "concepts",
            "first host reads all ms",
            "another host reads all ms",
            "list and first page, median ms",
            "longest ms",
            "another caller's, median ms",
            "with a change by another host, median ms",
            "longest of those ms"
        );
        foreach (var count in arguments.Text("--counts", "1000,10000,100000").Split(',').Select(int.Parse))
        {
            foreach (var hasStorage in new[] { false, true })
            {
                var folder = Directory.CreateTempSubdirectory("dti-shared-library-");
                try
                {
                    Measure(new Hosts(folder.FullName, hasStorage), count, arguments.Number("--changes", 50), table);
                }
                finally
                {
                    folder.Delete(recursive: true);
                }
            }
        }

        table.Save(
            "shared-library",
            "The time to list a library that several hosts share, and to build the first page of the answer, in the server (`Dti.Bench shared-library`). All hosts are instances in one process, on a local disk. The storage is a folder on that disk. With NFS, a change becomes visible within the mount's `actimeo`."
        );
        return 0;
    }

    private static void Measure(Hosts hosts, int count, int changes, Table table)
    {
        hosts.Fill(count);
        var began = Stopwatch.GetTimestamp();
        using var worker = hosts.Open("worker");
        List(worker, count);
        var built = Milliseconds(began);
        began = Stopwatch.GetTimestamp();
        using var gateway = hosts.Open("gateway");
        List(gateway, count);
        var read = Milliseconds(began);
        double[] again = [.. Enumerable.Range(0, changes).Select(_ => List(gateway, count)).Order()];
        double[] others =
        [
            .. Enumerable
                .Range(0, changes)
                .Select(i => List(gateway, count, new Caller($"admin-{i}", Scopes.Admin)))
                .Order(),
        ];
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
            hosts.HasStorage ? "storage" : "folder",
            $"{count}",
            $"{built:F0}",
            $"{read:F0}",
            $"{again[again.Length / 2]:F2}",
            $"{again[^1]:F2}",
            $"{others[changes / 2]:F2}",
            $"{afterChange[changes / 2]:F2}",
            $"{afterChange[^1]:F2}"
        );
    }

    private static double List(ConceptLibrary library, int count, Caller? caller = null)
    {
        var began = Stopwatch.GetTimestamp();
        var all = library.For(caller ?? Caller.Local).List();
        var page = ConceptPages.Of(all, 0, "");
        var took = Milliseconds(began);
        return all.Count == count && page.Concepts.Count == Math.Min(count, 1000)
            ? took
            : throw new InvalidOperationException("Concepts are missing.");
    }

    private static double Milliseconds(long began) => Stopwatch.GetElapsedTime(began).TotalMilliseconds;

    /// <summary>Hosts that share a folder, or a storage of which each has a copy.</summary>
    private sealed class Hosts(string root, bool hasStorage) : IChangeLog
    {
        private const string Name = "concepts";
        private readonly string _storage = Path.Combine(root, "storage");
        private long _number = 1;

        public bool HasStorage => hasStorage;

        private FolderObjectStore Store => new(_storage);

        /// <summary>Makes the library; that of a storage as a checkpoint, from which new hosts start.</summary>
        public void Fill(int count)
        {
            var folder = hasStorage ? Path.Combine(_storage, Name, "files") : root;
            Directory.CreateDirectory(folder);
            for (var i = 0; i < count; i++)
            {
                ListedConcept.Write(folder, i, owner: $"caller-{i % 8}");
            }

            if (hasStorage)
            {
                var files = new DirectoryInfo(folder)
                    .EnumerateFiles()
                    .Select(file =>
                        (file.Name, (ReplicatedFile?)new ReplicatedFile($"{Name}/files/{file.Name}", file.Length))
                    );
                Store
                    .PutAsync($"{Name}/checkpoints/{_number:D12}", new ReplicatedChange("bench", [.. files]).Format())
                    .WaitFor();
            }
        }

        public ConceptLibrary Open(string host) =>
            new(
                new DtiServerOptions
                {
                    ConceptFolder = hasStorage ? Path.Combine(root, host) : root,
                    Cluster = new ClusterOptions
                    {
                        Connection = "localhost:6379",
                        Storage = hasStorage ? _storage : null,
                    },
                },
                TimeProvider.System,
                NullLogger<ConceptLibrary>.Instance,
                store: hasStorage ? Store : null,
                log: this
            );

        public Task<bool> AppendAsync(string name, long known, byte[] change)
        {
            if (known != _number)
            {
                return Task.FromResult(false);
            }

            Store.PutAsync(IChangeLog.KeyOf(name, ++_number), change).WaitFor();
            return Task.FromResult(true);
        }
    }
}
