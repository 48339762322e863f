using Dti.Engine;
using Dti.Engine.Runtime.Files;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Tests;

public sealed class JobFeedTests : IDisposable
{
    private const int Many = 3000;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-feed-");
    private readonly EventWriter _log;
    private readonly JobFeed _feed;

    public JobFeedTests()
    {
        var files = new EventFiles(_folder.FullName, PhysicalFileStore.Instance);
        _log = files.OpenWriter(1);
        _feed = new JobFeed(Ticket, files);
    }

    public void Dispose()
    {
        _log.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Read_WatcherThatFallsFarBehind_MissesProgressAndPreviewsButNothingElse()
    {
        await using var slow = _feed
            .ReadAsync(0, TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Tell(1, Progress(1));
        Assert.True(await slow.MoveNextAsync());
        var next = slow.MoveNextAsync(); // it has seen all there is, and waits

        Tell(2, Progress(2));
        Assert.True(await next);
        for (var step = 3; step <= Many; step++)
        {
            Tell(step, Progress(step));
            Tell(
                step,
                new TrainResponse
                {
                    Preview = new TrainPreview { Step = step, Picture = new Picture() },
                }
            );
        }

        Tell(0, new TrainResponse { Warning = new Warning { Code = "A" } });
        End();
        var rest = new List<TrainResponse>();
        while (await slow.MoveNextAsync())
        {
            rest.Add((TrainResponse)slow.Current);
        }

        Assert.Equal("A", Assert.Single(rest, happened => happened.Warning is not null).Warning.Code);
        Assert.NotNull(Assert.Single(rest, happened => happened.Result is not null));
        Assert.Equal(Many, rest.Last(happened => happened.Progress is not null).Progress.Step);
        Assert.True(rest.Count < 10, $"{rest.Count} events");
    }

    [Fact]
    public async Task Read_PicturesInTheMaking_AreForWhoFollows()
    {
        var feed = new JobFeed(
            new JobTicket
            {
                JobId = "job",
                Kind = JobKind.Interpolate,
                Caller = "anna",
            },
            new EventFiles(_folder.FullName, PhysicalFileStore.Instance)
        );
        await using var watcher = feed.ReadAsync(0, TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        async Task<SamplingProgress> Next() =>
            await watcher.MoveNextAsync()
                ? ((InterpolateResponse)watcher.Current).Progress
                : throw new InvalidOperationException("over");

        void Step(int step)
        {
            var message = new InterpolateResponse
            {
                Progress = new SamplingProgress
                {
                    Step = step,
                    Preview = new Picture { Index = step },
                },
            };
            var first = _log.Next;
            _log.Append(step, EventMessages.Stored(message));
            feed.Add(new EventBatch(first, [new JobEvent(step, message.ToByteArray())], step));
        }

        Step(1);
        var followed = await Next();
        for (var step = 2; step <= 300; step++)
        {
            Step(step);
        }

        var left = new List<SamplingProgress>();
        for (var step = 2; step <= 300; step++)
        {
            left.Add(await Next());
        }

        Assert.Equal(1, followed.Preview.Index);
        Assert.Equal(Enumerable.Range(2, 299), left.Select(progress => progress.Step));
        Assert.All(left, progress => Assert.Null(progress.Preview)); // more than are in memory: from the log
        Step(301);
        Assert.Equal(301, (await Next()).Preview.Index);
    }

    [Fact]
    public async Task Read_WatcherThatBeginsLate_IsGivenEverythingFromTheLog()
    {
        for (var step = 1; step <= Many; step++)
        {
            Tell(step, Progress(step));
        }

        End();
        var steps = new List<int>();
        await foreach (var happened in _feed.ReadAsync(5, TestContext.Current.CancellationToken))
        {
            steps.AddRange(((TrainResponse)happened).Progress is { } progress ? [progress.Step] : []);
        }

        Assert.Equal(Enumerable.Range(5, Many - 4), steps);
    }

    [Fact]
    public async Task Read_LogIsDeletedMeanwhile_SaysSoRatherThanLeavingOut()
    {
        for (var step = 1; step <= Many; step++)
        {
            Tell(step, Progress(step));
        }

        End();
        _log.Dispose();
        _folder.Delete(recursive: true);

        var refused = await Assert.ThrowsAsync<DtiException>(async () =>
            await _feed
                .ReadAsync(0, TestContext.Current.CancellationToken)
                .GetAsyncEnumerator(TestContext.Current.CancellationToken)
                .MoveNextAsync()
        );
        Assert.Equal(ErrorKind.NotFound, refused.Kind);
        _folder.Create();
    }

    [Fact]
    public async Task Read_NewsThatGotLost_AreReadFromTheLog()
    {
        Tell(1, Progress(1));
        _log.Append(2, Progress(2)); // nobody is told
        Tell(3, Progress(3));
        _log.Append(4, Progress(4));
        End();

        var steps = new List<int>();
        await foreach (var happened in _feed.ReadAsync(0, TestContext.Current.CancellationToken))
        {
            steps.AddRange(((TrainResponse)happened).Progress is { } progress ? [progress.Step] : []);
        }

        Assert.Equal([1, 2, 3, 4], steps);
    }

    /// <summary>Who had the result could not train the concept again, as the job was not over yet.</summary>
    [Fact]
    public async Task Read_Result_ComesWhenTheJobIsOver()
    {
        await using var events = _feed
            .ReadAsync(0, TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Tell(1, Progress(1));
        Assert.True(await events.MoveNextAsync());
        Tell(0, new TrainResponse { Result = new TrainResult { Steps = Many } });
        Tell(2, Progress(2));
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(2, ((TrainResponse)events.Current).Progress.Step); // not the result, which was told before
        var result = events.MoveNextAsync();
        Assert.False(result.IsCompleted);

        _feed.Update(new JobView(new JobRecord { State = JobState.Succeeded }, null));

        Assert.True(await result);
        Assert.NotNull(((TrainResponse)events.Current).Result);
        Assert.False(await events.MoveNextAsync());
    }

    /// <summary>The log was read under the lock, so that one slow read kept all watchers of the job waiting.</summary>
    [Fact]
    public async Task Read_StorageOfTheLogIsSlow_GivesWhatIsInMemoryMeanwhile()
    {
        using var slow = new SlowLog(new EventFiles(_folder.FullName, PhysicalFileStore.Instance));
        var feed = new JobFeed(Ticket, slow);
        feed.Add(new EventBatch(_log.Next, [_log.Append(1, Progress(1))], 1));
        _log.Append(2, Progress(2)); // nobody is told
        var batch = new EventBatch(_log.Next, [_log.Append(3, Progress(3))], 3);
        slow.Stop();
        var adding = Task.Run(() => feed.Add(batch), TestContext.Current.CancellationToken);
        await slow.Reading.WaitAsync(TestContext.Current.CancellationToken);

        await using var watcher = feed.ReadAsync(0, TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        var first = Task.Run(async () => await watcher.MoveNextAsync(), TestContext.Current.CancellationToken);
        await Task.WhenAny(first, Task.Delay(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));

        Assert.True(first.IsCompletedSuccessfully, "the watcher waits for the storage");
        Assert.Equal(1, ((TrainResponse)watcher.Current).Progress.Step);
        Assert.False(adding.IsCompleted);
        slow.Continue();
        await adding;
        foreach (var step in new[] { 2, 3 })
        {
            Assert.True(await watcher.MoveNextAsync());
            Assert.Equal(step, ((TrainResponse)watcher.Current).Progress.Step);
        }
    }

    /// <summary>A renewal whose answer was older than the end of the job undid the end.</summary>
    [Fact]
    public async Task Update_ViewFromBeforeTheEnd_DoesNotUndoTheEnd()
    {
        using var slow = new SlowLog(new EventFiles(_folder.FullName, PhysicalFileStore.Instance));
        var feed = new JobFeed(Ticket, slow);
        _log.Append(0, new TrainResponse { Result = new TrainResult { Steps = Many } });
        slow.Stop();
        var renewing = Task.Run(
            () => feed.Update(new JobView(new JobRecord { State = JobState.Running }, null)),
            TestContext.Current.CancellationToken
        );
        await slow.Reading.WaitAsync(TestContext.Current.CancellationToken);
        slow.LetOthersPass();
        feed.Update(new JobView(new JobRecord { State = JobState.Succeeded }, null));
        slow.Continue();
        await renewing;

        await using var watcher = feed.ReadAsync(0, TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Assert.True(await watcher.MoveNextAsync());
        Assert.NotNull(((TrainResponse)watcher.Current).Result);
        var end = watcher.MoveNextAsync().AsTask();
        await Task.WhenAny(end, Task.Delay(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        Assert.True(end.IsCompletedSuccessfully, "the watcher waits for an end that has been");
        Assert.False(await end);
    }

    private static JobTicket Ticket =>
        new()
        {
            JobId = "job",
            Kind = JobKind.Train,
            Caller = "anna",
        };

    private static TrainResponse Progress(int step) =>
        new()
        {
            Progress = new TrainProgress { Step = step, TotalSteps = Many },
        };

    private void Tell(int step, IMessage message)
    {
        var first = _log.Next;
        _feed.Add(new EventBatch(first, [_log.Append(step, message)], step));
    }

    private void End()
    {
        Tell(0, new TrainResponse { Result = new TrainResult { Steps = Many } });
        _feed.Update(new JobView(new JobRecord { State = JobState.Succeeded }, null));
    }

    /// <summary>A log whose reads can be made to wait.</summary>
    private sealed class SlowLog(IEventLog log) : IEventLog, IDisposable
    {
        private readonly ManualResetEventSlim _mayRead = new(initialState: true);
        private readonly SemaphoreSlim _reading = new(0);
        private volatile bool _othersPass;

        /// <summary>Entered when a read waits.</summary>
        public SemaphoreSlim Reading => _reading;

        public void Stop() => _mayRead.Reset();

        public void Continue() => _mayRead.Set();

        public void LetOthersPass() => _othersPass = true;

        public IEnumerable<JobEvent> Read(long from)
        {
            if (!_mayRead.IsSet && !_othersPass)
            {
                _reading.Release();
                _mayRead.Wait(TestContext.Current.CancellationToken);
            }

            foreach (var jobEvent in log.Read(from))
            {
                yield return jobEvent;
            }
        }

        public IEventWriter OpenWriter(int epoch, long first) => log.OpenWriter(epoch, first);

        public bool IsNewest(int epoch) => log.IsNewest(epoch);

        public void Dispose()
        {
            _mayRead.Dispose();
            _reading.Dispose();
        }
    }
}
