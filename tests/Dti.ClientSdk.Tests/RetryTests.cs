using System.Net;
using System.Net.Sockets;
using Grpc.Core;

namespace Dti.ClientSdk.Tests;

public class RetryTests(ServerFixture server)
{
    private static readonly DtiClientOptions _hasty = new() { RetryDelay = TimeSpan.FromMilliseconds(5) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListModelsAsync_TwoConnectionsRefused_SucceedsWithTheThird()
    {
        await using var proxy = new CuttingProxy(server.Address) { Refuse = 2 };
        await using var client = new DtiClient(proxy.Address, _hasty);

        Assert.NotEmpty(await client.ListModelsAsync(Cancellation));

        Assert.Equal(3, proxy.Connections);
    }

    [Fact]
    public async Task ListModelsAsync_NoRetries_FailsWithTheFirst()
    {
        await using var proxy = new CuttingProxy(server.Address) { Refuse = 1 };
        await using var client = new DtiClient(proxy.Address, _hasty with { MaxRetries = 0 });

        var error = await Assert.ThrowsAsync<DtiClientException>(() => client.ListModelsAsync(Cancellation));

        Assert.Equal((StatusCode.Unavailable, 1), (error.Status, proxy.Connections));
    }

    [Fact]
    public async Task GenerateAsync_ConnectionRefused_IsNotMadeAgain()
    {
        await using var proxy = new CuttingProxy(server.Address) { Refuse = 1 };
        await using var client = new DtiClient(proxy.Address, _hasty);

        var error = await Assert.ThrowsAsync<DtiClientException>(
            async () => await client.GenerateAsync(new GenerationOptions { Prompt = "a cat" }, null, Cancellation).ToListAsync(Cancellation));

        Assert.Equal((StatusCode.Unavailable, 1), (error.Status, proxy.Connections));
    }

    [Fact]
    public async Task TrainAsync_FirstReplyLost_AttachesToTheJobItStarted()
    {
        var token = Guid.NewGuid().ToString("N");
        server.Tap.LoseFirstReply(token);
        await using var client = new DtiClient(server.Address, _hasty with { Token = token });

        var (accepted, result) = await client.LearnAsync("lost-reply", Cancellation);

        Assert.True(accepted.Attached);
        Assert.Equal(4, result.Steps);
        Assert.Single(await client.ListJobsAsync(limit: 1000, cancellationToken: Cancellation), job => job.Name == "lost-reply");
    }

    [Fact]
    public async Task ListModelsAsync_ServerNeverAnswers_EndsAtTheTimeout()
    {
        using var deaf = new TcpListener(IPAddress.Loopback, 0);
        deaf.Start();
        await using var client = new DtiClient(deaf.LocalEndpoint.ToString()!, new DtiClientOptions { Timeout = TimeSpan.FromMilliseconds(50) });

        var error = await Assert.ThrowsAsync<DtiClientException>(() => client.ListModelsAsync(Cancellation));

        Assert.Equal(StatusCode.DeadlineExceeded, error.Status);
    }

    [Fact]
    public async Task ListModelsAsync_TokenCancelled_EndsAsCancelled()
    {
        using var deaf = new TcpListener(IPAddress.Loopback, 0);
        deaf.Start();
        await using var client = new DtiClient(deaf.LocalEndpoint.ToString()!);
        using var leave = new CancellationTokenSource();

        var call = client.ListModelsAsync(leave.Token);
        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public void Options_OutOfRange_AreRefused()
    {
        foreach (var wrong in new DtiClientOptions[]
        {
            new() { MaxRetries = 5 }, new() { MaxReconnects = -1 }, new() { RetryDelay = TimeSpan.Zero }, new() { Timeout = TimeSpan.Zero },
            new() { MaxReceiveMessageSize = 0 },
        })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new DtiClient(server.Address, wrong));
        }
    }
}
