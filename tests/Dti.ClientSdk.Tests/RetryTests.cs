using System.Net;
using System.Net.Sockets;
using Grpc.Core;

namespace Dti.ClientSdk.Tests;

public class RetryTests(ServerFixture server)
{
    private static readonly DtiClientOptions _hasty = new() { RetryDelay = TimeSpan.FromMilliseconds(5) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListModelsAsync_ReplyLost_AsksAgain()
    {
        var options = LosingTheFirstReply(_hasty);
        await using var client = new DtiClient(server.Address, options);

        Assert.NotEmpty(await client.ListModelsAsync(Cancellation));

        Assert.Equal(2, Calls(options));
    }

    [Fact]
    public async Task ListModelsAsync_ReplyLostWithoutRetries_IsUnavailable()
    {
        var options = LosingTheFirstReply(_hasty with { MaxRetries = 0 });
        await using var client = new DtiClient(server.Address, options);

        var error = await Assert.ThrowsAsync<DtiClientException>(() => client.ListModelsAsync(Cancellation));

        Assert.Equal((StatusCode.Unavailable, 1), (error.Status, Calls(options)));
    }

    [Fact]
    public async Task GenerateAsync_ReplyLost_DoesNotDrawAgain()
    {
        var options = LosingTheFirstReply(_hasty);
        await using var client = new DtiClient(server.Address, options);

        var error = await Assert.ThrowsAsync<DtiClientException>(async () =>
            await client
                .GenerateAsync(new GenerationOptions { Prompt = "a cat", Steps = 1 }, null, Cancellation)
                .ToListAsync(Cancellation)
        );

        Assert.Equal((StatusCode.Unavailable, 1), (error.Status, Calls(options)));
    }

    [Fact]
    public async Task TrainAsync_ReplyLost_AttachesToTheJobItStarted()
    {
        await using var client = new DtiClient(server.Address, LosingTheFirstReply(_hasty));

        var (accepted, result) = await client.LearnAsync("lost-reply", Cancellation);

        Assert.True(accepted.Attached);
        Assert.Equal(4, result.Steps);
    }

    [Fact]
    public async Task ListModelsAsync_ServerNeverAnswers_EndsAtTheTimeout()
    {
        using var deaf = new TcpListener(IPAddress.Loopback, 0);
        deaf.Start();
        await using var client = new DtiClient(
            deaf.LocalEndpoint.ToString()!,
            new DtiClientOptions { Timeout = TimeSpan.FromMilliseconds(50) }
        );

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
        foreach (
            var wrong in new DtiClientOptions[]
            {
                new() { MaxRetries = 5 },
                new() { ReconnectTimeout = TimeSpan.FromSeconds(-1) },
                new() { RetryDelay = TimeSpan.Zero },
                new() { Timeout = TimeSpan.Zero },
                new() { MaxReceiveMessageSize = 0 },
            }
        )
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new DtiClient(server.Address, wrong));
        }
    }

    /// <summary>The server does what the first call asks, and its answer gets lost.</summary>
    private DtiClientOptions LosingTheFirstReply(DtiClientOptions options)
    {
        var token = Guid.NewGuid().ToString("N");
        server.Tap.LoseFirstReply(token);
        return options with { Token = token };
    }

    private int Calls(DtiClientOptions options) =>
        server.Tap.Authorizations.Count(header => header == "Bearer " + options.Token);
}
