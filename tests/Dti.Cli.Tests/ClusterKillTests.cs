using System.Diagnostics;
using System.Globalization;
using Dti.Server.Configuration;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Google.Protobuf;

namespace Dti.Cli.Tests;

/// <summary>A worker that is killed. The hosts of its cluster share nothing but a database and a bucket of S3.</summary>
public sealed class ClusterKillTests : IDisposable
{
    private const int Steps = 100;
    private const int SnapshotEvery = 20;
    private static readonly string _model = Path.Combine(Fixtures.Root, "tiny-sd15");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-cluster-kill-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("postgres")]
    [InlineData("redis")]
    public async Task Worker_KilledWhileTraining_AnotherOneContinuesFromTheLastSnapshotToTheSameConcept(string kind)
    {
        await using var database =
            kind == "postgres" ? await DatabaseServer.PostgresAsync() : await DatabaseServer.RedisAsync();
        await using var storage = await S3Server.StartNewAsync();
        var cluster = storage.In(new ClusterOptions { Connection = database.Connection }, "kill");
        using (var init = DtiProcess.Start(_folder.FullName, Settings(cluster, "none"), "cluster", "init"))
            Assert.Equal(ExitCode.Ok, (await DtiProcess.EndAsync(init)).ExitCode);
        using var gateway = Start(cluster, "gateway", "gateway");
        using var first = Start(cluster, "worker", "first");
        var server = await ListeningAsync(gateway);
        await ListeningAsync(first);
        using var command = DtiProcess.Start(_folder.FullName, [.. Train("broken"), "--server", server]);
        var start = Stopwatch.GetTimestamp();
        while (!storage.Holds("kill/snapshots/broken/")) // the command shows a step later than the worker does it
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(1), "there is no snapshot");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await first.KillAsync();
        using var second = Start(cluster, "worker", "second");
        using var alone = DtiProcess.Start( // meanwhile, as the cluster takes half a minute to notice
            _folder.FullName,
            new() { ["DTI_MODELS"] = _model },
            [.. Train("whole"), "--data", "alone"]
        );
        var whole = await DtiProcess.EndAsync(alone);
        var broken = await DtiProcess.EndAsync(command);

        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (whole.ExitCode, broken.ExitCode));
        Assert.Equal(
            Enumerable.Range(1, Steps),
            broken.EventsOf("progress").Select(step => step.GetProperty("step").GetInt32())
        );
        Assert.Equal(await VectorsAsync("alone", "whole"), await VectorsAsync("second", "broken"));
        var pointer = Path.Combine(_folder.FullName, "second", "concepts", ".runs", "broken", "job");
        var attempt = await File.ReadAllLinesAsync(pointer, TestContext.Current.CancellationToken);
        Assert.Equal("2", attempt[1]); // the attempt, and the step from which it continued
        Assert.InRange(int.Parse(attempt[2], CultureInfo.InvariantCulture), SnapshotEvery, Steps - 1);
    }

    private DtiProcess Start(ClusterOptions cluster, string role, string name) =>
        DtiProcess.Start(
            _folder.FullName,
            Settings(cluster, name),
            ["serve", "--role", role, "--data", name, "--port", "0", "--json"]
        );

    private static Dictionary<string, string> Settings(ClusterOptions cluster, string host) =>
        new()
        {
            ["DTI_MODELS"] = _model,
            ["DTI_CLUSTER__CONNECTION"] = cluster.Connection!,
            ["DTI_CLUSTER__STORAGE"] = cluster.Storage!,
            ["DTI_CLUSTER__STORAGE_ENDPOINT"] = cluster.StorageEndpoint!,
            ["DTI_CLUSTER__STORAGE_KEY_ID"] = cluster.StorageKeyId!,
            ["DTI_CLUSTER__STORAGE_SECRET"] = cluster.StorageSecret!,
            ["DTI_CLUSTER__HOST"] = host,
            ["DTI_CLUSTER__PORT"] = "0",
        };

    private static async Task<string> ListeningAsync(DtiProcess host) =>
        (await host.ReadEventAsync()).GetProperty("address").GetString()!;

    private static string[] Train(string name) =>
        [
            "train",
            name,
            Fixtures.Common("preprocess_square.png"),
            .. QuickTraining.Options(Steps),
            "--snapshot-every",
            $"{SnapshotEvery}",
            "--json",
        ];

    /// <summary>The vectors of a concept in the library of a host, which has saved them.</summary>
    private async Task<byte[]> VectorsAsync(string host, string name) =>
        SafetensorsBytes.OfTensors(
            ByteString.CopyFrom(
                await File.ReadAllBytesAsync(
                    Path.Combine(_folder.FullName, host, "concepts", name + ".safetensors"),
                    TestContext.Current.CancellationToken
                )
            )
        );
}
