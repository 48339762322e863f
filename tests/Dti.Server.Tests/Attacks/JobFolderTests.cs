using System.Net.Sockets;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Storage;
using Dti.Server.Tests.Infrastructure;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;
using Serving = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Dti.Server.Tests.Attacks;

/// <summary>Health means that a job can be accepted, and nobody else gets at the jobs.</summary>
public sealed class JobFolderTests : DurableServer
{
    [Fact]
    public async Task Folder_DeletedWhileTheServerRuns_IsToldAndHealthIsNotServing()
    {
        await Server.PictureAsync(TestServer.Draw("a dog"));
        DeleteJobFolder();

        var refused = await Refusal.Of(
            () => Server.TrainAsync(TestServer.Request("cat")),
            StatusCode.FailedPrecondition
        );

        Assert.Contains("The folder of jobs was deleted", refused.Status.Detail, StringComparison.Ordinal);
        await NotServingAsync();
        Assert.False(Directory.Exists(JobFolder));
    }

    /// <summary>Deletes the folder, although the server may still write the end of a job there.</summary>
    private void DeleteJobFolder()
    {
        while (true)
        {
            try
            {
                Directory.Delete(JobFolder, recursive: true);
                return;
            }
            catch (IOException) when (Directory.Exists(JobFolder))
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    [Fact]
    public async Task Lock_DeletedWhileTheServerRuns_IsMadeAgainAndKeepsAnotherServerOut()
    {
        await Server.PictureAsync(TestServer.Draw("a dog"));
        File.Delete(Path.Combine(JobFolder, ".lock"));
        Assert.Null(Server.Services.GetRequiredService<JobFolder>().Problem());

        Assert.Contains(
            "is used by another server",
            Assert.Throws<Engine.DtiException>(() => Start()).Message,
            StringComparison.Ordinal
        );
        await Server.PictureAsync(TestServer.Draw("a dog"));
    }

    [Fact]
    public async Task Lock_TakenByAnotherServer_IsTold()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a held file cannot be deleted");
        await Server.PictureAsync(TestServer.Draw("a dog"));
        var file = Path.Combine(JobFolder, ".lock");
        File.Delete(file);
        await using (new FileStream(file, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
        {
            var refused = await Refusal.Of(
                () => Server.PictureAsync(TestServer.Draw("a dog")),
                StatusCode.FailedPrecondition
            );
            Assert.Contains(
                "Another server has taken the folder of jobs",
                refused.Status.Detail,
                StringComparison.Ordinal
            );
            await NotServingAsync();
        }
    }

    [Fact]
    public async Task Silo_ConnectedByAnotherProgram_ClosesAtOnce()
    {
        await Server.PictureAsync(TestServer.Draw("a dog"));
        var endpoint = await Server.Services.GetRequiredService<JobSilo>().EndpointAsync();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var read = 0;
        try
        {
            await socket.ConnectAsync(endpoint, TestContext.Current.CancellationToken);
            read = await socket.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken);
        }
        catch (SocketException)
        {
            // It was reset.
        }

        Assert.Equal(0, read); // not even a greeting
        Assert.NotEmpty(await Server.PictureAsync(TestServer.Draw("a dog")));
    }

    private async Task NotServingAsync()
    {
        using var channel = Server.NewChannel();
        var health = new Health.HealthClient(channel);
        var status = Serving.Serving;
        for (var look = 0; look < 200 && status == Serving.Serving; look++)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken); // an answer holds for seconds
            status = (await health.CheckAsync(new())).Status;
        }

        Assert.Equal(Serving.NotServing, status);
    }
}
