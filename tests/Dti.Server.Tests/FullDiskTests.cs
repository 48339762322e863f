using System.Text.Json.Nodes;
using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Engine.Runtime;
using Dti.Engine.Training;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.Server.Libraries;
using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Serialization;
using static TorchSharp.torch;

namespace Dti.Server.Tests;

/// <summary>Everything that is written, on a disk that is full from the n-th open, write, flush or rename on, for every n: what was there is whole, or what is new is.</summary>
public sealed class FullDiskTests : IDisposable
{
    private static readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("dti-full-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void SaveConcept_DiskFullAtAnyTime_KeepsTheFormerConceptOrHasTheNew()
    {
        AtEveryFailure(
            former: folder => Save(folder, "former", vectors: 1),
            change: folder => Save(folder, "new", vectors: 2),
            read: folder =>
            {
                using var library = Library(folder); // as the next start
                var concept = Assert.Single(library.List());
                var (whole, embedding) = (library.Get("cat"), library.Load("cat"));
                Assert.Equal(concept.NumVectors, embedding.Encoders[0].Count);
                return $"{concept.Model} {concept.NumVectors} {whole.ThumbnailPng.ToStringUtf8()} {whole.SummaryPng.ToStringUtf8()}";
            },
            mayBe: ["new 2  ", "new 2 new ", "new 2  new"]); // of the new one, pictures may be missing: they are worth less
    }

    [Fact]
    public void SaveConcept_ForTheFirstTime_IsThereOrNot()
    {
        AtEveryFailure(
            former: _ => { },
            change: folder => Save(folder, "new", vectors: 2),
            read: folder =>
            {
                using var library = Library(folder);
                return string.Concat(library.List().Select(concept => $"{library.Load(concept.Name).Encoders[0].Count}"));
            });
    }

    [Fact]
    public void SaveSnapshot_DiskFullAtAnyTime_KeepsTheFormerOrHasTheNew()
    {
        AtEveryFailure(
            former: folder =>
            {
                Runs(folder).Begin(new TrainRequest { Name = "cat" }, null, Caller.Local, "job");
                Runs(folder).Save("cat", Snapshot(1), keepEvery: 0);
            },
            change: folder => Runs(folder).Save("cat", Snapshot(2), keepEvery: 0),
            read: folder =>
            {
                var newest = Runs(folder).Steps("cat")[^1];
                using var snapshot = Runs(folder).Load("cat", newest);
                return $"{newest} {snapshot.Step}";
            });
    }

    [Fact]
    public void WriteJobState_DiskFullAtAnyTime_KeepsTheFormerOrHasTheNew()
    {
        var id = GrainId.Create("job", "cat");
        AtEveryFailure(
            former: folder => WriteAsync(folder, JobState.Queued),
            change: folder => WriteAsync(folder, JobState.Succeeded),
            read: folder => $"{Read(folder).State!.State}",
            refusal: error => Google.Rpc.Status.Parser.ParseFrom(Assert.IsType<StateUnwrittenException>(error).Refusal).Code == (int)Google.Rpc.Code.ResourceExhausted);

        void WriteAsync(string folder, JobState state)
        {
            var stored = Read(folder);
            stored.State = new JobRecord { State = state };
            Store(folder).WriteStateAsync("job", id, stored).GetAwaiter().GetResult();
        }

        GrainState<JobRecord> Read(string folder)
        {
            var stored = new GrainState<JobRecord>(new JobRecord());
            Store(folder).ReadStateAsync("job", id, stored).GetAwaiter().GetResult();
            return stored;
        }

        FileGrainStorage Store(string folder) => new(Jobs(folder), _services.GetRequiredService<Serializer>());
    }

    [Fact]
    public void AppendEvents_DiskFullAtAnyTime_KeepsThoseBeforeAndGoesOn()
    {
        for (var after = 0; ; after++)
        {
            var folder = Path.Combine(_root.FullName, $"{after}");
            var files = new EventFiles(folder);
            Directory.CreateDirectory(folder);
            using (var first = files.OpenWriter(1))
            {
                first.Append(1, Step(1));
            }

            using var disk = new FailingDisk(folder, after);
            var steps = new List<int> { 1 };
            try
            {
                using var second = files.OpenWriter(2);
                for (var step = 2; step <= 4; step++)
                {
                    try
                    {
                        second.Append(step, Step(step));
                        steps.Add(step);
                    }
                    catch (IOException)
                    {
                        Assert.Equal(steps, files.Read(0).Select(happened => happened.Step)); // half an event is none
                        disk.Free();
                    }
                }
            }
            catch (Exception error) when (error is IOException or DtiException { Kind: ErrorKind.ResourceExhausted })
            {
                // The attempt does not begin.
            }

            Assert.Equal(steps, files.Read(0).Select(happened => happened.Step));
            if (disk.Failures == 0)
            {
                Assert.Equal([1, 2, 3, 4], steps);
                break;
            }
        }
    }

    [Fact]
    public void CreateJob_DiskFullAtAnyTime_LeavesNothingOfIt()
    {
        AtEveryFailure(
            former: _ => { },
            change: folder => Jobs(folder).Create("cat", new TrainRequest { Name = "cat" }, Step(0)),
            read: folder => Directory.Exists(Path.Combine(folder, "cat")) ? $"{Jobs(folder).Request("cat", JobKind.Train)} {new EventFiles(Path.Combine(folder, "cat")).Read(0).Count()}" : "");
    }

    [Fact]
    public void ChangeTokens_DiskFullAtAnyTime_KeepsTheFormerOrHasTheNew()
    {
        AtEveryFailure(
            former: folder => Tokens(folder).Create("anna", ["read"]),
            change: folder => Tokens(folder).Create("bert", ["read"]),
            read: folder => string.Join(' ', Tokens(folder).List().Select(token => token.Name)));

        static AccessTokens Tokens(string folder) => new(Path.Combine(folder, "tokens.json"));
    }

    /// <summary>Lets a change fail at its first write, at its second, and so on, each time over the former state in a new folder, until it does not fail.</summary>
    /// <param name="former">Makes the former state.</param>
    /// <param name="change">Makes the new one.</param>
    /// <param name="read">Tells the state, as one who starts anew finds it.</param>
    /// <param name="mayBe">States that count as new, too.</param>
    /// <param name="refusal">Whether an error says that the disk is full; null: one of the engine that does.</param>
    private void AtEveryFailure(Action<string> former, Action<string> change, Func<string, string> read, string[]? mayBe = null, Func<Exception, bool>? refusal = null)
    {
        var (before, after) = (Fresh("before"), Fresh("after"));
        change(after);
        string[] allowed = [read(before), read(after), .. mayBe ?? []];
        var seen = new HashSet<string>();
        for (var number = 0; ; number++)
        {
            var folder = Fresh($"{number}");
            using var disk = new FailingDisk(folder, number);
            var error = Record.Exception(() => change(folder));
            disk.Free();
            var state = read(folder);
            seen.Add(state);
            Assert.Contains(state, allowed);
            Assert.Empty(Directory.GetFiles(folder, "*" + AtomicFile.Draft, SearchOption.AllDirectories));
            if (error is not null)
            {
                Assert.True(refusal?.Invoke(error) ?? error is DtiException { Kind: ErrorKind.ResourceExhausted }, $"{error}");
                Assert.Contains("The disk is full", error.Message, StringComparison.Ordinal);
                Assert.Equal(allowed[0], state);
                change(folder); // there is room again
                Assert.Equal(allowed[1], read(folder));
            }
            else if (disk.Failures == 0)
            {
                break;
            }
        }

        Assert.Contains(allowed[0], seen);
        Assert.Contains(allowed[1], seen);

        string Fresh(string name)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_root.FullName, name)).FullName;
            former(folder);
            return folder;
        }
    }

    private static DtiServerOptions Options(string folder) => new() { ConceptFolder = folder };

    private static ConceptLibrary Library(string folder) => new(Options(folder), TimeProvider.System, NullLogger<ConceptLibrary>.Instance);

    private static TrainingRuns Runs(string folder) => new(Options(folder));

    private static void Save(string folder, string model, int vectors)
    {
        using var library = Library(folder);
        var embedding = new ConceptEmbedding("<cat>", [DirectionalVectors.FromEmbeddings([.. Enumerable.Range(1, vectors).Select(i => new float[] { i, 2, 3 })])]);
        var picture = ByteString.CopyFromUtf8(model).Memory;
        library.Save(new Concept { Name = "cat", Model = model }, embedding, picture, picture, _ => "");
    }

    private static TrainingSnapshot Snapshot(int step) =>
        new(step, 0, default, [], [], new JsonObject(), new Dictionary<string, Tensor> { ["directions"] = ones(3000) });

    private static TrainResponse Step(int step) => new() { Progress = new TrainProgress { Step = step, TotalSteps = 9, Loss = 0.5 } };

    // Without the lock of a server's folder: these tests read it as another would.
    private static JobFolder Jobs(string folder)
    {
        var jobs = new JobFolder(new DtiServerOptions { ConceptFolder = folder, JobFolder = folder });
        jobs.Dispose(); // lets go of the lock
        return jobs;
    }
}
