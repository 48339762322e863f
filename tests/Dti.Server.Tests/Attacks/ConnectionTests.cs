using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;

namespace Dti.Server.Tests.Attacks;

/// <summary>
/// Connections and calls as nobody would make them. The server answers others meanwhile, and logs no error.
/// </summary>
public sealed class ConnectionTests : IAsyncLifetime
{
    private const string Check = "grpc.health.v1.Health/Check";
    private readonly TestServer _server = TestServer.Start(options => options with { MaxQueuedJobs = 4 });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task RapidReset_ManyStreams_LeavesTheServerAnswering()
    {
        using (var frames = await Http2Frames.ConnectAsync(_server.Address, cancellationToken: Cancellation))
        {
            await frames.ResetRapidlyAsync(Check, 500, Cancellation);
            await AnswersAsync();
        }

        // calls that were reset still run out, and must not find a server that is disposed of
        await Task.Delay(500, Cancellation);
    }

    [Fact]
    public async Task HeaderFlood_Endless_ClosesTheConnection()
    {
        using var frames = await Http2Frames.ConnectAsync(_server.Address, cancellationToken: Cancellation);

        var sent = await frames.FloodWithHeadersAsync(Check, 64 << 20, Cancellation);

        Assert.InRange(sent, 0, 8 << 20); // what the sockets hold beyond the 32 KiB that are read
        await AnswersAsync();
    }

    [Fact]
    public async Task HalfOpenConnections_Many_LeaveTheServerAnswering()
    {
        var half = new List<Http2Frames>();
        for (var i = 0; i < 150; i++)
        {
            half.Add(await Http2Frames.ConnectAsync(_server.Address, hello: false, cancellationToken: Cancellation));
            await half[^1].SendAsync(Http2Frames.Preface.AsMemory(0, i % Http2Frames.Preface.Length), Cancellation);
        }

        for (var i = 0; i < 50; i++)
        {
            half.Add(await Http2Frames.ConnectAsync(_server.Address, cancellationToken: Cancellation));
            await half[^1].OpenAsync("dti.v1.ConceptService/List", null, Cancellation); // and no message
        }

        await AnswersAsync();
        half.ForEach(frames => frames.Dispose());
        await AnswersAsync();
    }

    [Fact]
    public async Task SlowReader_WindowOfZero_HoldsUpNoTraining()
    {
        using var frames = await Http2Frames.ConnectAsync(_server.Address, window: 0, cancellationToken: Cancellation);
        var stream = await frames.OpenAsync("dti.v1.DtiService/Train", null, Cancellation);
        await frames.MessageAsync(
            stream,
            TestServer.Request("unread", change: request => request.Photos.RemoveAt(1)).ToByteArray(),
            Cancellation
        );

        Job? job = null;
        for (var look = 0; look < 1000 && job?.Ended is null; look++)
        {
            await Task.Delay(20, Cancellation);
            job = (await _server.Jobs.ListAsync(new())).Jobs.SingleOrDefault();
        }

        Assert.Equal(JobState.Succeeded, job?.State);
    }

    [Fact]
    public async Task SubmitStorm_MoreThanTheQueueHolds_AnswersEachAndForgetsNone()
    {
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 60)
                .Select(async i =>
                {
                    try
                    {
                        await _server.PictureAsync(TestServer.Draw($"a dog {i}"));
                        return null;
                    }
                    catch (RpcException error)
                    {
                        return error;
                    }
                })
        );

        Assert.Contains(null, answers);
        Assert.All(answers.OfType<RpcException>(), error =>
        {
            Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
            Assert.NotNull(Refusal.Detail<RetryInfo>(error).RetryDelay);
        });
        Assert.Equal(
            answers.Count(error => error is null),
            (await _server.Jobs.ListAsync(new())).Jobs.Count(job => job.State == JobState.Succeeded)
        );
    }

    [Fact]
    public async Task Call_AbandonedAtEveryEvent_EndsItsJob()
    {
        var draw = TestServer.Draw("a dog");
        var events = (await _server.GenerateAsync(draw)).Count;
        for (var read = 0; read < events; read++)
        {
            using var call = _server.Dti.Generate(
                new GenerateRequest { Options = draw },
                cancellationToken: Cancellation
            );
            for (var i = 0; i < read; i++)
            {
                Assert.True(await call.ResponseStream.MoveNext(Cancellation));
            }
        }

        for (
            var look = 0;
            look < 1000 && (await _server.Jobs.ListAsync(new())).Jobs.Any(job => job.Ended is null);
            look++
        )
        {
            await Task.Delay(20, Cancellation);
        }

        Assert.All((await _server.Jobs.ListAsync(new())).Jobs, job => Assert.NotNull(job.Ended));
        Assert.NotEmpty(await _server.PictureAsync(draw));
    }

    private async Task AnswersAsync()
    {
        using var channel = _server.NewChannel();
        Assert.Equal(
            HealthCheckResponse.Types.ServingStatus.Serving,
            (await new Health.HealthClient(channel).CheckAsync(new(), deadline: DateTime.UtcNow.AddSeconds(60))).Status
        );
        Assert.Empty((await _server.Concepts.ListAsync(new(), deadline: DateTime.UtcNow.AddSeconds(60))).Concepts);
    }
}
