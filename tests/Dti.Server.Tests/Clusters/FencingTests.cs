using System.Text.Json.Nodes;
using Dti.Engine.Concepts;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Dti.Server.Libraries;
using Dti.Server.Security;
using Dti.V1;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace Dti.Server.Tests.Clusters;

/// <summary>
/// The race of a worker that is paused after it has checked its lease and before it writes: another worker takes over
/// the job in between, and the first one then writes after all.
/// </summary>
public sealed class FencingTests : IDisposable
{
    private static readonly RunAttempt _first = new("job", 1);
    private static readonly RunAttempt _second = new("job", 2);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-fencing-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task SaveSnapshot_PausedBeforeItsRename_DoesNotCount()
    {
        var disk = new PausingFiles();
        var (paused, other) = (new TrainingRuns(Options, disk), new TrainingRuns(Options));
        paused.Begin(Request(), null, Caller.Local, _first);
        Save(paused, _first, step: 100, value: 1);
        disk.PauseNextMove();
        var late = Task.Run(() => Save(paused, _first, step: 120, value: 1), TestContext.Current.CancellationToken);
        await disk.Paused;
        other.Continue(Request(from: 100), _second);

        disk.Resume();
        await late;

        Assert.Equal([100], other.Steps("cat")); // the first attempt has deleted its own, and not the second one's
        Assert.Equal(100, other.LastStep("cat", "job", below: 500));
        Save(other, _second, step: 110, value: 2);
        Assert.Equal([110], other.Steps("cat"));
        Save(other, _second, step: 120, value: 2);
        Assert.Equal(2, Value(other, step: 120));
    }

    [Fact]
    public void SaveSnapshot_OfAReplacedRun_DoesNotCount()
    {
        var (paused, other) = (new TrainingRuns(Options), new TrainingRuns(Options));
        paused.Begin(Request(), null, Caller.Local, _first);
        other.Begin(Request(), null, Caller.Local, new("another-job", 1));
        Save(paused, _first, step: 50, value: 1);

        Assert.Empty(other.Steps("cat"));
    }

    [Fact]
    public async Task SaveConcept_JobLostWhileItWaitsForTheLibrary_WritesNothing()
    {
        using var library = new ConceptLibrary(Options, TimeProvider.System, NullLogger<ConceptLibrary>.Instance);
        var isLost = false;
        Task saving;
        using (new FolderJournal(_folder.FullName).Begin()) // another host changes the library
        {
            saving = Task.Run(
                () =>
                    library
                        .For(Caller.Local)
                        .SaveLearnt(
                            new Concept { Name = "cat" },
                            new(
                                "<cat>",
                                [
                                    DirectionalVectors.FromEmbeddings([
                                        [1, 2, 3],
                                    ]),
                                ]
                            ),
                            default,
                            default,
                            () => _ = isLost ? throw new JobLostException("job") : 0
                        ),
                TestContext.Current.CancellationToken
            );
            isLost = true;
        }

        await Assert.ThrowsAsync<JobLostException>(() => saving);
        Assert.Empty(library.List());
    }

    private DtiServerOptions Options =>
        new()
        {
            ConceptFolder = _folder.FullName,
            Cluster = new ClusterOptions { Connection = "localhost:6379" },
        };

    private static TrainRequest Request(int from = 0) =>
        new() { Name = "cat", Resume = from > 0 ? new TrainResume { FromStep = from } : null };

    internal static void Save(TrainingRuns runs, RunAttempt attempt, int step, int value)
    {
        using var snapshot = new TrainingSnapshot(
            step,
            lossSum: value,
            default,
            [],
            [],
            new JsonObject(),
            new Dictionary<string, Tensor> { ["directions"] = ones(3) }
        );
        runs.Save("cat", attempt, snapshot, keepEvery: 0);
    }

    internal static int Value(TrainingRuns runs, int step)
    {
        using var snapshot = runs.Load("cat", step);
        return (int)snapshot.LossSum;
    }

    /// <summary>A disk that pauses a process before a rename.</summary>
    private sealed class PausingFiles : IFileStore
    {
        private readonly TaskCompletionSource _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _pauses;

        public Task Paused => _paused.Task;

        public void PauseNextMove() => _pauses = true;

        public void Resume() => _resumed.SetResult();

        public FileStream Open(string path, FileStreamOptions options) =>
            PhysicalFileStore.Instance.Open(path, options);

        public void Move(string from, string to)
        {
            if (_pauses)
            {
                _pauses = false;
                _paused.SetResult();
                _resumed.Task.Wait();
            }

            PhysicalFileStore.Instance.Move(from, to);
        }

        public void Delete(string path) => PhysicalFileStore.Instance.Delete(path);
    }
}
