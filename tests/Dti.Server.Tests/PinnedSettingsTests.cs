using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Tests;

/// <summary>A job runs with the settings with which it was accepted, whatever changes while it waits.</summary>
public sealed class PinnedSettingsTests : IAsyncLifetime
{
    private readonly DirectoryInfo _models = Directory.CreateTempSubdirectory("dti-pinned-");
    private readonly string _defaults;
    private readonly TestServer _server;

    public PinnedSettingsTests()
    {
        var model = Path.Combine(_models.FullName, "tiny");
        foreach (
            var file in Directory.GetFiles(Path.Combine(Fixtures.Root, "tiny-sd15"), "*", SearchOption.AllDirectories)
        )
        {
            var copy = Path.Combine(model, Path.GetRelativePath(Path.Combine(Fixtures.Root, "tiny-sd15"), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        _defaults = Path.Combine(model, "dti.json");
        Write(steps: 5);
        _server = TestServer.Start(options => options with { ModelFolders = [model] });
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _models.Delete(recursive: true);
    }

    [Fact]
    public async Task Train_DefaultsOfTheModelChangeWhileItWaits_RunsAsItWasAccepted()
    {
        using var first = _server.Dti.Train(TestServer.Request("first", steps: 100_000));
        var firstId = await AcceptedAsync(first);
        await _server.UntilAsync(firstId.JobId, job => job.Step > 0);
        using var second = _server.Dti.Train(TestServer.Request("second", change: r => r.Options.ClearSteps()));
        var accepted = await AcceptedAsync(second);

        Write(steps: 2);
        await _server.Jobs.CancelAsync(new JobServiceCancelRequest { JobId = firstId.JobId });
        TrainResponse? last = null;
        await foreach (var happened in second.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
            last = happened;
        var concept = (await _server.Concepts.GetAsync(new ConceptServiceGetRequest { Name = "second" })).Concept;

        Assert.Equal(5, accepted.Settings.Steps);
        Assert.Equal(5, last!.Result.Steps);
        Assert.Equal(accepted.Settings, concept.Settings);
    }

    private void Write(int steps) =>
        File.WriteAllText(_defaults, $$"""{ "training": { "steps": {{steps}}, "kappa": {{steps}}e-3 } }""");

    private static async Task<TrainAccepted> AcceptedAsync(AsyncServerStreamingCall<TrainResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return call.ResponseStream.Current.Accepted;
    }
}
