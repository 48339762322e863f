using System.Diagnostics;
using Dti.Server.Services;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Tests.Attacks;

/// <summary>Cheap checks come first, and whatever takes long ends with its caller.</summary>
public sealed class HeavyRequestTests
{
    // A lossless WebP of 34 bytes that says 10,000 × 10,000 pixels, all of one colour.
    private static readonly ByteString _large = ByteString.CopyFrom(
        Convert.FromHexString("524946461A000000574542505650384C0E0000002F0FE7C309071011FD0F4444FF03")
    );

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Train_WrongNameAndHugePhotos_IsRefusedWithoutDecodingThem()
    {
        await using var server = TestServer.Start();
        var before = Process.GetCurrentProcess().TotalProcessorTime;

        var fields = await Refusal.Fields(() => server.TrainAsync(TestServer.Request("bad name!", change: Huge)));

        Assert.Equal(["name"], fields);
        // decoding them takes half a minute
        Assert.InRange((Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds, 0, 3);
    }

    [Fact]
    public async Task Train_KnownRequestId_AttachesWhileTheTurnIsTaken()
    {
        await using var server = TestServer.Start();
        var request = TestServer.Request("cat", steps: 100_000, change: asked => asked.RequestId = "again");
        using var first = server.Dti.Train(request, cancellationToken: Cancellation);
        Assert.True(await first.ResponseStream.MoveNext(Cancellation));
        using var held = new ManualResetEventSlim();
        var turn = server
            .Services.GetRequiredService<HeavyCalls>()
            .RunAsync("bob", cancelled => Task.FromResult(held.Wait(TimeSpan.FromMinutes(1), cancelled)), Cancellation);

        using var second = server.Dti.Train(request, cancellationToken: Cancellation);
        Assert.True(await second.ResponseStream.MoveNext(Cancellation));

        Assert.True(second.ResponseStream.Current.Accepted.Attached);
        held.Set();
        await turn;
        await server.Jobs.CancelAsync(new() { JobId = second.ResponseStream.Current.Accepted.JobId });
    }

    [Fact]
    public async Task Stop_WhileCallsWaitForTheTurn_EndsThem()
    {
        await using var server = TestServer.Start();
        using var held = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var turn = server
            .Services.GetRequiredService<HeavyCalls>()
            .RunAsync<int>(
                "bob",
                async ends =>
                {
                    await Task.Delay(TimeSpan.FromMinutes(1), ends);
                    return 1;
                },
                Cancellation
            );
        var waiting = server.TrainAsync(TestServer.Request("cat"));

        await server.StopAsync();

        var refused = await Assert.ThrowsAsync<Engine.DtiException>(() => turn);
        Assert.Equal(Engine.ErrorKind.Unavailable, refused.Kind);
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => waiting);
    }

    private static void Huge(TrainRequest request)
    {
        request.Photos.Clear();
        request.Photos.AddRange(
            Enumerable.Range(0, 8).Select(i => new Photo { FileName = $"{i}.webp", Data = _large })
        );
    }
}
