using Dti.Server.Jobs;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dti.Server.Tests;

public sealed class JobTests : IAsyncLifetime
{
    private const int Long = 100_000;
    private readonly TestServer _server = TestServer.Start(options => options with { MaxQueuedJobs = 3 });

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>
    /// What reached the server while it stopped was answered with INTERNAL, and logged as a fault of it.
    /// </summary>
    [Fact]
    public async Task List_AfterTheQueueStopped_HearsThatTheServerStops()
    {
        await _server.TrainAsync(TestServer.Request("first")); // the queue is there
        await _server
            .Services.GetServices<IHostedService>()
            .OfType<DeviceWorker>()
            .Single()
            .StopAsync(TestContext.Current.CancellationToken);
        await _server.Services.GetRequiredService<JobSilo>().StopAsync(TestContext.Current.CancellationToken);

        await Refusal.Of(async () => await _server.Jobs.ListAsync(new()), StatusCode.Unavailable);
    }

    [Fact]
    public async Task Train_SameRequestIdFiftyTimes_IsOneJob()
    {
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(_ => _server.TrainAsync(TestServer.Request("cat", change: r => r.RequestId = "same")))
        );

        Assert.Single(answers.Select(events => events[0].Accepted.JobId).Distinct());
        Assert.Equal(49, answers.Count(events => events[0].Accepted.Attached));
        Assert.All(answers, events =>
            Assert.Equal([1, 2, 3], events.Where(e => e.Progress is not null).Select(e => e.Progress.Step))
        );
        Assert.Single((await _server.Jobs.ListAsync(new())).Jobs);
    }

    [Fact]
    public async Task Train_SameRequestIdForAnotherRequest_IsRefused()
    {
        await _server.TrainAsync(TestServer.Request("cat", change: r => r.RequestId = "same"));
        var error = await Refusal.Of(
            () => _server.TrainAsync(TestServer.Request("dog", change: r => r.RequestId = "same")),
            StatusCode.FailedPrecondition
        );
        Assert.Equal("REQUEST_ID_REUSED", Refusal.Reason(error));
    }

    [Fact]
    public async Task Watch_FromEachStepWhileTraining_GivesExactlyTheRest()
    {
        using var training = _server.Dti.Train(TestServer.Request("cat", steps: 12));
        var jobId = await AcceptedAsync(training);

        var watchers = Enumerable.Range(0, 13).Select(from => StepsAsync(jobId, from)).ToArray();

        for (var from = 0; from <= 12; from++)
        {
            Assert.Equal(Enumerable.Range(Math.Max(1, from), 13 - Math.Max(1, from)), await watchers[from]);
            Assert.Equal(await watchers[from], await StepsAsync(jobId, from)); // and again when it is over
        }
    }

    [Fact]
    public async Task Train_CallerGoesAway_GoesOnAndCanBeWatched()
    {
        var training = _server.Dti.Train(TestServer.Request("cat", steps: 30));
        var jobId = await AcceptedAsync(training);
        training.Dispose();

        Assert.Equal(Enumerable.Range(1, 30), await StepsAsync(jobId, 0));
        Assert.Equal(JobState.Succeeded, (await _server.UntilAsync(jobId, job => job.Ended is not null)).State);
    }

    [Fact]
    public async Task Train_CancelOnDisconnect_StopsWithTheCaller()
    {
        var training = _server.Dti.Train(
            TestServer.Request("cat", steps: Long, change: r => r.CancelOnDisconnect = true)
        );
        var jobId = await AcceptedAsync(training);
        await _server.UntilAsync(jobId, job => job.Step > 0);
        training.Dispose();

        Assert.Equal(JobState.Cancelled, (await _server.UntilAsync(jobId, job => job.Ended is not null)).State);
        Assert.Empty((await _server.Concepts.ListAsync(new())).Concepts);
    }

    [Fact]
    public async Task Generate_CallerGoesAway_StopsTheJob()
    {
        var options = TestServer.Draw("a dog");
        (options.Steps, options.NumImages) = (1000, 64);
        var call = _server.Dti.Generate(new GenerateRequest { Options = options });
        Assert.True(await call.ResponseStream.MoveNext(default));
        var jobId = call.ResponseStream.Current.Accepted.JobId;
        await _server.UntilAsync(jobId, job => job.Step > 0);
        call.Dispose();

        Assert.Equal(JobState.Cancelled, (await _server.UntilAsync(jobId, job => job.Ended is not null)).State);
    }

    [Fact]
    public async Task Cancel_RunningAndQueued_HitsOnlyThatJob()
    {
        using var first = _server.Dti.Train(TestServer.Request("first", steps: Long));
        var a = await AcceptedAsync(first);
        using var second = _server.Dti.Train(TestServer.Request("second", steps: Long));
        var b = await AcceptedAsync(second);
        using var third = _server.Dti.Train(TestServer.Request("third"));
        var c = await AcceptedAsync(third);
        await _server.UntilAsync(a, job => job.Step > 0);

        await _server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = b }); // queued
        Assert.Equal(JobState.Running, (await _server.Jobs.GetAsync(new JobServiceGetRequest { JobId = a })).Job.State);
        Assert.Equal("JOB_CANCELLED", Refusal.Reason(await Refusal.Of(() => Drain(second), StatusCode.Cancelled)));

        await _server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = a }); // running
        await Refusal.Of(() => Drain(first), StatusCode.Cancelled);
        await Drain(third);

        var over = (await _server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = c })).Job; // finished
        Assert.Equal(JobState.Succeeded, over.State);
        Assert.Equal("third", Assert.Single((await _server.Concepts.ListAsync(new())).Concepts).Name);
    }

    [Fact]
    public async Task Submit_QueueFull_SaysWhenToComeBackAndOthersAnswer()
    {
        using var running = _server.Dti.Train(
            TestServer.Request("running", steps: Long, change: r => r.CancelOnDisconnect = true)
        );
        await _server.UntilAsync(await AcceptedAsync(running), job => job.State == JobState.Running);
        var waiting = Enumerable
            .Range(0, 3)
            .Select(i =>
                _server.Dti.Train(TestServer.Request($"waiting-{i}", change: r => r.CancelOnDisconnect = true))
            )
            .ToArray();
        foreach (var call in waiting)
        {
            await AcceptedAsync(call);
        }

        var error = await Refusal.Of(
            () => _server.TrainAsync(TestServer.Request("late")),
            StatusCode.ResourceExhausted
        );

        Assert.Equal("QUEUE_FULL", Refusal.Reason(error));
        Assert.True(Refusal.Detail<RetryInfo>(error).RetryDelay.Seconds > 0);
        Assert.Equal(4, (await _server.Jobs.ListAsync(new())).Jobs.Count);
        Array.ForEach(waiting, call => call.Dispose());
    }

    [Fact]
    public async Task Train_WhileQueued_HearsItsPlace()
    {
        using var first = _server.Dti.Train(TestServer.Request("first", steps: Long));
        var a = await AcceptedAsync(first);
        await _server.UntilAsync(a, job => job.State == JobState.Running);
        using var second = _server.Dti.Train(TestServer.Request("second"));
        await AcceptedAsync(second);

        Assert.True(await second.ResponseStream.MoveNext(default));
        Assert.Equal(1, second.ResponseStream.Current.Queued.Position);

        await _server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = a });
        await Drain(second);
    }

    [Fact]
    public async Task Generate_WhileTraining_GoesBetweenItsStepsAndNeitherIsChanged()
    {
        var alone = await _server.PictureAsync(TestServer.Draw("a dog"));
        await _server.TrainAsync(TestServer.Request("undisturbed", steps: 40));
        using var training = _server.Dti.Train(TestServer.Request("disturbed", steps: 40));
        var jobId = await AcceptedAsync(training);
        await _server.UntilAsync(jobId, job => job.Step > 0);

        var beside = await _server.PictureAsync(TestServer.Draw("a dog"));
        var meanwhile = (await _server.Jobs.GetAsync(new JobServiceGetRequest { JobId = jobId })).Job;
        await Drain(training);

        Assert.Equal(JobState.Running, meanwhile.State);
        Assert.Equal(alone, beside);
        Assert.Equal(await _server.VectorsAsync("undisturbed"), await _server.VectorsAsync("disturbed"));
    }

    [Fact]
    public async Task Watch_WhatIsNoId_IsNotFound()
    {
        foreach (var id in new[] { "", "..", "../../etc", new string('g', 32), new string('A', 32) })
        {
            await Refusal.Of(() => StepsAsync(id, 0), StatusCode.NotFound);
        }
    }

    [Fact]
    public async Task Train_ConceptThatIsInTraining_IsRefused()
    {
        using var first = _server.Dti.Train(
            TestServer.Request("cat", steps: Long, change: r => r.CancelOnDisconnect = true)
        );
        await AcceptedAsync(first);
        var error = await Refusal.Of(
            () => _server.TrainAsync(TestServer.Request("cat", change: r => r.Overwrite = true)),
            StatusCode.AlreadyExists
        );
        Assert.Equal("CONCEPT_IN_TRAINING", Refusal.Reason(error));
    }

    [Fact]
    public async Task Stop_WhileTraining_EndsTheStreamWithUnavailable()
    {
        using var training = _server.Dti.Train(TestServer.Request("cat", steps: Long));
        await _server.UntilAsync(await AcceptedAsync(training), job => job.Step > 0);

        var drained = Refusal.Of(() => Drain(training), StatusCode.Unavailable);
        await _server.StopAsync();

        Assert.Equal("SERVER_STOPPING", Refusal.Reason(await drained));
    }

    [Fact]
    public async Task Watch_JobOfAnotherKind_GivesItsEventsAgain()
    {
        var drawn = await _server.GenerateAsync(TestServer.Draw("a dog"));

        using var call = _server.Jobs.Watch(new JobServiceWatchRequest { JobId = drawn[0].Accepted.JobId });
        var watched = new List<GenerateResponse>();
        await foreach (var happened in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            watched.Add(happened.Generate);
        }

        Assert.Equal(drawn.Where(e => e.Queued is null), watched);
        await Refusal.Of(() => StepsAsync("nobody", 0), StatusCode.NotFound);
    }

    private static async Task<string> AcceptedAsync(AsyncServerStreamingCall<TrainResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(default));
        return call.ResponseStream.Current.Accepted.JobId;
    }

    private static async Task Drain(AsyncServerStreamingCall<TrainResponse> call)
    {
        while (await call.ResponseStream.MoveNext(default)) { }
    }

    private async Task<List<int>> StepsAsync(string jobId, int fromStep)
    {
        using var call = _server.Jobs.Watch(new JobServiceWatchRequest { JobId = jobId, FromStep = fromStep });
        var steps = new List<int>();
        await foreach (var happened in call.ResponseStream.ReadAllAsync())
        {
            if (happened.Event.Progress is { } progress)
            {
                steps.Add(progress.Step);
            }
        }

        return steps;
    }
}
