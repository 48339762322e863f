using Dti.Server;
using Dti.Server.Configuration;
using Dti.Tests;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Dti.ClientSdk.Tests;

/// <summary>Streams that are silent for longer than both sides' patience: a job that waits behind a long one.</summary>
public sealed class KeepAliveTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("dti-alive-").FullName;
    private readonly WebApplication _app;
    private DtiClient _direct = null!;
    private string _long = "";

    public KeepAliveTests() =>
        _app = DtiHost.Build(
            new DtiServerOptions
            {
                Port = 0,
                ConceptFolder = _folder,
                ModelFolders = [Path.Combine(Fixtures.Root, "tiny-sd15")],
                BuiltInModel = null,
                KeepAlive = _patience,
            },
            builder => builder.Logging.ClearProviders()
        );

    public async ValueTask InitializeAsync()
    {
        await _app.StartAsync();
        _direct = new DtiClient(DtiHost.AddressOf(_app));
        await foreach (
            var update in _direct.TrainAsync(await ServerFixture.RequestAsync("long", ServerFixture.Quick(100_000)))
        )
        {
            _long = ((TrainingAccepted)update).JobId; // the stream is left, the training goes on
            break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _direct.DisposeAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Stream_SilentForLongerThanThePatience_GoesOn()
    {
        await using var proxy = new CuttingProxy(DtiHost.AddressOf(_app));
        await using var client = new DtiClient(
            proxy.Address,
            new DtiClientOptions
            {
                KeepAlive = _patience,
                ReconnectTimeout = TimeSpan.Zero,
                MaxRetries = 0,
            }
        );
        var waiting = Task.Run(async () =>
        {
            var updates = new List<TrainingUpdate>();
            await foreach (
                var update in client.TrainAsync(await ServerFixture.RequestAsync("waits", ServerFixture.Quick(1)))
            )
                updates.Add(update);
            return updates;
        });

        await Task.WhenAny(waiting, Task.Delay(4 * _patience));
        Assert.False(waiting.IsCompleted);
        await _direct.CancelJobAsync(_long);

        Assert.IsType<TrainingResult>((await waiting)[^1]);
        Assert.Equal(1, proxy.Connections);
    }

    [Fact]
    public async Task TrainAsync_PeerGoesWithoutAWord_IsPickedUpOverAnotherConnection()
    {
        await using var proxy = new CuttingProxy(DtiHost.AddressOf(_app));
        await using var client = new DtiClient(
            proxy.Address,
            new DtiClientOptions { KeepAlive = _patience, RetryDelay = TimeSpan.FromMilliseconds(5) }
        );
        var updates = new List<TrainingUpdate>();
        await foreach (
            var update in client.TrainAsync(await ServerFixture.RequestAsync("waits", ServerFixture.Quick(1)))
        )
        {
            updates.Add(update);
            if (update is TrainingAccepted)
            {
                proxy.Freeze();
                await _direct.CancelJobAsync(_long);
            }
        }

        Assert.IsType<TrainingResult>(updates[^1]);
        Assert.True(proxy.Connections > 1);
    }

    [Fact]
    public async Task Stream_PeerGoesWithoutAWord_BothSidesNotice()
    {
        await using var proxy = new CuttingProxy(DtiHost.AddressOf(_app));
        await using var client = new DtiClient(
            proxy.Address,
            new DtiClientOptions { KeepAlive = _patience, MaxRetries = 0 }
        );
        var jobId = "";
        var error = await Assert.ThrowsAsync<DtiClientException>(async () =>
        {
            var request = await ServerFixture.RequestAsync("waits", ServerFixture.Quick(1)) with
            {
                CancelOnDisconnect = true,
            };
            await foreach (var update in client.TrainAsync(request))
            {
                if (update is TrainingAccepted accepted)
                {
                    jobId = accepted.JobId;
                    proxy.Freeze();
                }
            }
        });

        Assert.Equal(StatusCode.Unavailable, error.Status);
        while ((await _direct.GetJobAsync(jobId)).State != JobState.Cancelled) // nobody waits for it
            await Task.Delay(50);
    }
}
