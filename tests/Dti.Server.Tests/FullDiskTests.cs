using System.Text.Json.Nodes;
using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Training;
using Dti.Server.Configuration;
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

/// <summary>
/// Everything that is written, on a disk that is full from the n-th open, write, flush or rename on, for every n, or by
/// a process that is killed there or at the n-th deletion: what was there is whole, or what is new is.
/// </summary>
public sealed class FullDiskTests : IDisposable
{
    private static readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("dti-full-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void SaveConcept_DiskFullOrKilledAtAnyTime_KeepsTheFormerConceptOrHasTheNew()
    {
        AtEveryFailure(
            former: folder => Save(folder, "former", vectors: 1),
            change: folder => Save(folder, "new", vectors: 2),
            read: folder =>
            {
                using var library = Library(folder); // as the next start
                AssertTidy(folder);
                return Tell(library);
            },
            mayBe: ["new 2  ", "new 2 new ", "new 2  new"]
        ); // of the new one, pictures may be missing: they are worth less
    }

    [Fact]
    public void SaveConcept_KilledAtAnyTime_IsWholeForAProcessThatRuns()
    {
        var others = new Dictionary<string, ConceptLibrary>(); // opened before
        AtEveryFailure(
            former: folder =>
            {
                Save(folder, "former", vectors: 1);
                others[folder] = Library(folder);
                Assert.StartsWith("former 1", Tell(others[folder]), StringComparison.Ordinal);
            },
            change: folder => Save(folder, "new", vectors: 2),
            read: folder => Tell(others[folder]),
            mayBe: ["new 2  ", "new 2 new ", "new 2  new"]
        );
        foreach (var other in others.Values)
        {
            other.Dispose();
        }
    }

    [Fact]
    public void SaveConcept_WithoutPictures_HasNoneOfTheFormer()
    {
        AtEveryFailure(
            former: folder => Save(folder, "former", vectors: 1),
            change: folder => Save(folder, "new", vectors: 2, pictures: false),
            read: folder =>
            {
                using var library = Library(folder);
                return Tell(library);
            }
        );
    }

    [Fact]
    public void DeleteConcept_KilledAtAnyTime_IsWholeOrGone()
    {
        AtEveryFailure(
            former: folder => Save(folder, "former", vectors: 1),
            change: Delete,
            read: folder =>
            {
                using var library = Library(folder);
                // nothing unseen is left
                return library.Find("cat") is null ? string.Concat(Directory.EnumerateFiles(folder)) : Tell(library);
            },
            kills: [true]
        );
    }

    [Fact]
    public void DeleteConcept_DiskFull_IsGone()
    {
        Save(_root.FullName, "former", vectors: 1);
        // it is there, and takes no room
        using var disk = new FailingDisk(_root.FullName, files: path => Path.GetFileName(path) != "lock");
        disk.Fill();

        Delete(_root.FullName);

        Assert.True(disk.Failures > 0);
        Assert.Empty(Directory.EnumerateFiles(_root.FullName));
    }

    [Fact]
    public void Start_WhileAnotherProcessSaves_LeavesItsDrafts()
    {
        Save(_root.FullName, "former", vectors: 1);
        using (var saving = new FolderJournal(_root.FullName).Begin()) // the other process
        {
            var draft = saving.Add("cat.png", stream => stream.Write("theirs"u8));
            using var started = Library(_root.FullName);
            Assert.True(File.Exists(draft));
            saving.Commit();
            Assert.Equal("theirs", started.Get("cat").ThumbnailPng.ToStringUtf8());
        }

        AssertTidy(_root.FullName);
    }

    [Fact]
    public void Start_AfterOlderVersionsWereKilled_DeletesTheirDrafts()
    {
        Save(_root.FullName, "former", vectors: 1);
        Begin(_root.FullName, "former", start: false);
        string[] drafts = ["cat.safetensors.0.tmp", Path.Combine(".runs", "cat", "000001.safetensors.0.tmp")];
        Array.ForEach(drafts, draft => File.WriteAllText(Path.Combine(_root.FullName, draft), "x"));
        using var library = Library(_root.FullName);
        Runs(_root.FullName);
        Assert.DoesNotContain(drafts, draft => File.Exists(Path.Combine(_root.FullName, draft)));
        Assert.StartsWith("former 1", Tell(library), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BeginTraining_DiskFullOrKilledAtAnyTime_KeepsTheFormerRunOrHasTheNew(bool byStart)
    {
        var others = new Dictionary<string, TrainingRuns>();
        AtEveryFailure(
            former: folder =>
            {
                Begin(folder, "former", start: true);
                Runs(folder).Save("cat", new("former", 1), Snapshot(7), keepEvery: 0);
                others[folder] = Runs(folder);
            },
            change: folder => Begin(folder, "new", start: false),
            read: folder =>
            {
                var runs = byStart ? Runs(folder) : others[folder];
                var request = runs.Request("cat", Caller.Local);
                var state =
                    $"{request.Options.Initializer} {runs.JobOf("cat")} {runs.Start("cat") is not null} {string.Join(' ', runs.Steps("cat"))}";
                if (byStart)
                {
                    AssertTidy(Path.Combine(folder, ".runs"));
                }

                return state;
            }
        );
    }

    [Fact]
    public void ContinueTraining_DiskFullOrKilledAtAnyTime_KeepsTheFormerOrHasTheNew()
    {
        AtEveryFailure(
            former: folder => Begin(folder, "former", start: true),
            change: folder => Runs(folder).Continue(Request("new"), new("new", 1)),
            read: folder =>
                $"{Runs(folder).Request("cat", Caller.Local).Options.Initializer} {Runs(folder).JobOf("cat")} {Runs(folder).Start("cat") is not null}"
        );
    }

    [Fact]
    public void DeleteTraining_KilledAtAnyTime_IsWholeOrGone()
    {
        AtEveryFailure(
            former: folder => Begin(folder, "former", start: true),
            change: folder => Runs(folder).Delete("cat", Caller.Local),
            read: folder =>
            {
                var there = Directory.Exists(Path.Combine(folder, ".runs", "cat"));
                Assert.Equal(there, Runs(folder).Start("cat") is not null);
                AssertTidy(Path.Combine(folder, ".runs"));
                return $"{there}";
            },
            kills: [true]
        );
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
                return string.Concat(
                    library.List().Select(concept => $"{library.Load(concept.Name).Encoders[0].Count}")
                );
            }
        );
    }

    [Fact]
    public void SaveSnapshot_DiskFullOrKilledAtAnyTime_KeepsTheFormerOrHasTheNew()
    {
        AtEveryFailure(
            former: folder =>
            {
                Begin(folder, "job", start: false);
                Runs(folder).Save("cat", new("job", 1), Snapshot(1), keepEvery: 0);
            },
            change: folder => Runs(folder).Save("cat", new("job", 1), Snapshot(2), keepEvery: 0),
            read: folder =>
            {
                var newest = Runs(folder).Steps("cat")[^1];
                using var snapshot = Runs(folder).Load("cat", newest);
                return $"{newest} {snapshot.Step}";
            }
        );
    }

    [Fact]
    public void WriteJobState_DiskFullOrKilledAtAnyTime_KeepsTheFormerOrHasTheNew()
    {
        var id = GrainId.Create("job", "cat");
        AtEveryFailure(
            former: folder => WriteAsync(folder, JobState.Queued),
            change: folder => WriteAsync(folder, JobState.Succeeded),
            read: folder => $"{Read(folder).State!.State}",
            refusal: error =>
                Google.Rpc.Status.Parser.ParseFrom(Assert.IsType<StateUnwrittenException>(error).Refusal).Code
                == (int)Google.Rpc.Code.ResourceExhausted
        );

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
            var files = new EventFiles(folder, FailingDisk.Files);
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
            change: folder =>
                Jobs(folder).CreateAsync("cat", new TrainRequest { Name = "cat" }, Step(0)).GetAwaiter().GetResult(),
            read: folder =>
                Directory.Exists(Path.Combine(folder, "cat"))
                    ? $"{Jobs(folder).Request("cat", JobKind.Train)} {Jobs(folder).Events("cat").Read(0).Count()}"
                    : "",
            kills: [false]
        ); // of a killed process's job nobody was told
    }

    [Fact]
    public void ChangeTokens_DiskFullOrKilledAtAnyTime_KeepsTheFormerOrHasTheNew()
    {
        AtEveryFailure(
            former: folder => Tokens(folder).Create("anna", ["read"]),
            change: folder => Tokens(folder).Create("bert", ["read"]),
            read: folder => string.Join(' ', Tokens(folder).List().Select(token => token.Name))
        );

        static AccessTokens Tokens(string folder) => new(Path.Combine(folder, "tokens.json"), files: FailingDisk.Files);
    }

    /// <summary>
    /// Lets a change fail at its first write, at its second, and so on, each time over the former state in a new
    /// folder, until it does not fail.
    /// </summary>
    /// <param name="former">Makes the former state.</param>
    /// <param name="change">Makes the new one.</param>
    /// <param name="read">Tells the state, as one who starts anew finds it.</param>
    /// <param name="mayBe">States that count as new, too.</param>
    /// <param name="refusal">Whether an error says that the disk is full; null: one of the engine that does.</param>
    /// <param name="kills">Whether the process is killed there, or else its disk is full; null: one after the
    /// other.</param>
    private void AtEveryFailure(
        Action<string> former,
        Action<string> change,
        Func<string, string> read,
        string[]? mayBe = null,
        Func<Exception, bool>? refusal = null,
        bool[]? kills = null
    )
    {
        var (before, after) = (Fresh("before"), Fresh("after"));
        change(after);
        string[] allowed = [read(before), read(after), .. mayBe ?? []];
        foreach (var kill in kills ?? [false, true])
        {
            var seen = new HashSet<string>();
            for (var number = 0; ; number++)
            {
                var folder = Fresh($"{(kill ? "killed" : "full")} {number}");
                using var disk = new FailingDisk(folder, number, kills: kill);
                var error = Record.Exception(() => change(folder));
                disk.Free();
                var state = read(folder);
                seen.Add(state);
                Assert.Contains(state, allowed);
                if (error is KilledException)
                {
                    change(folder); // another process
                    Assert.Equal(allowed[1], read(folder));
                }
                else if (error is not null)
                {
                    Assert.True(
                        refusal?.Invoke(error) ?? error is DtiException { Kind: ErrorKind.ResourceExhausted },
                        $"{error}"
                    );
                    Assert.Contains("The disk is full", error.Message, StringComparison.Ordinal);
                    Assert.Equal(allowed[0], state);
                    change(folder); // there is room again
                    Assert.Equal(allowed[1], read(folder));
                }

                Assert.Empty(Directory.GetFiles(folder, "*" + AtomicFile.Draft, SearchOption.AllDirectories));
                if (disk.Failures == 0)
                {
                    Assert.Null(error);
                    break;
                }
            }

            Assert.Contains(allowed[0], seen);
            Assert.Contains(allowed[1], seen);
        }

        string Fresh(string name)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_root.FullName, name)).FullName;
            former(folder);
            return folder;
        }
    }

    /// <summary>Nothing of a change is left beside the files.</summary>
    private static void AssertTidy(string folder) =>
        Assert.Equal(
            ["lock"],
            Directory.EnumerateFileSystemEntries(Path.Combine(folder, ".change")).Select(Path.GetFileName)
        );

    private static string Tell(ConceptLibrary library)
    {
        var concept = Assert.Single(library.List());
        var (whole, embedding) = (library.Get("cat"), library.Load("cat"));
        Assert.Equal(concept.NumVectors, embedding.Encoders[0].Count);
        return $"{concept.Model} {concept.NumVectors} {whole.ThumbnailPng.ToStringUtf8()} {whole.SummaryPng.ToStringUtf8()}";
    }

    private static DtiServerOptions Options(string folder) => new() { ConceptFolder = folder };

    private static ConceptLibrary Library(string folder) =>
        new(Options(folder), TimeProvider.System, NullLogger<ConceptLibrary>.Instance, FailingDisk.Files);

    private static TrainingRuns Runs(string folder) => new(Options(folder), FailingDisk.Files);

    private static void Save(string folder, string model, int vectors, bool pictures = true)
    {
        using var library = Library(folder);
        var picture = pictures ? ByteString.CopyFromUtf8(model).Memory : default;
        library.Save(new Concept { Name = "cat", Model = model }, Embedding(vectors), picture, picture, _ => "");
    }

    private static void Delete(string folder)
    {
        using var library = Library(folder);
        library.Delete("cat", _ => { });
    }

    private static void Begin(string folder, string job, bool start) =>
        Runs(folder).Begin(Request(job), start ? Embedding(1) : null, Caller.Local, new(job, 1));

    private static TrainRequest Request(string initializer) =>
        new()
        {
            Name = "cat",
            Options = new() { Initializer = initializer },
        };

    private static ConceptEmbedding Embedding(int vectors) =>
        new(
            "<cat>",
            [DirectionalVectors.FromEmbeddings([.. Enumerable.Range(1, vectors).Select(i => new float[] { i, 2, 3 })])]
        );

    private static TrainingSnapshot Snapshot(int step) =>
        new(step, 0, default, [], [], new JsonObject(), new Dictionary<string, Tensor> { ["directions"] = ones(3000) });

    private static TrainResponse Step(int step) =>
        new()
        {
            Progress = new TrainProgress
            {
                Step = step,
                TotalSteps = 9,
                Loss = 0.5,
            },
        };

    // Without the lock of a server's folder: these tests read it as another would.
    private static JobFolder Jobs(string folder)
    {
        var jobs = new JobFolder(
            new DtiServerOptions { ConceptFolder = folder, JobFolder = folder },
            FailingDisk.Files
        );
        jobs.Dispose(); // lets go of the lock
        return jobs;
    }
}
