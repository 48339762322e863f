using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Tests.Clusters;

/// <summary>A gateway without models, and a worker that has one.</summary>
public sealed class RemoteModelFixture : MachineFixture
{
    private Cluster? _cluster;
    private TestServer? _gateway;

    internal TestServer Gateway => Started(_gateway);

    protected override async Task StartAsync()
    {
        _cluster = await Cluster.StartAsync("redis");
        _gateway = _cluster.Start("gateway", "gateway-1", settings: options =>
            options with
            {
                ModelFolders = [],
                DefaultModel = "tiny-sd15",
            }
        );
        _cluster.Start("worker", "worker-1");
    }

    protected override Task StopAsync() => _cluster?.DisposeAsync().AsTask() ?? Task.CompletedTask;
}

/// <inheritdoc cref="RemoteModelFixture"/>
public sealed class RemoteModelTests(RemoteModelFixture fixture) : IClassFixture<RemoteModelFixture>
{
    private TestServer Gateway => fixture.Gateway;

    [Fact]
    public async Task Train_ModelThatOnlyAWorkerHas_GivesAConceptThatGenerates()
    {
        await ListedAsync();

        await Gateway.TrainAsync(TestServer.Request("remote"));

        Assert.NotEmpty(await Gateway.PictureAsync(TestServer.Draw("a photo of <remote>")));
    }

    [Fact]
    public async Task List_ModelThatOnlyAWorkerHas_SaysWhatItIs()
    {
        await using var server = TestServer.Start();
        var expected = (await server.Models.ListAsync(new ModelServiceListRequest())).Models.Single();

        var model = await ListedAsync();

        Assert.Equal(
            (expected.Family, expected.Resolution, expected.SizeBytes, expected.Dtype, expected.MemoryBytes),
            (model.Family, model.Resolution, model.SizeBytes, model.Dtype, model.MemoryBytes)
        );
        Assert.True(model.Fits);
        Assert.True(model.IsDefault);
        Assert.Empty(model.Problem);
    }

    [Fact]
    public async Task Train_RequestThatTheModelCannotRun_IsRefusedByTheGateway()
    {
        await ListedAsync();

        var refused = await Assert.ThrowsAsync<RpcException>(() =>
            Gateway.TrainAsync(
                TestServer.Request("wide", change: request => request.Options.TextEncoders = LearntEncoders.Second)
            )
        );

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task Inspect_ModelThatOnlyAWorkerHas_SaysThatItsWeightsAreElsewhere()
    {
        await ListedAsync();
        await Gateway.TrainAsync(TestServer.Request("inspected"));

        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await Gateway.Concepts.InspectAsync(new ConceptServiceInspectRequest { Name = "inspected" })
        );

        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.Contains("on other hosts", refused.Status.Detail, StringComparison.Ordinal);
    }

    private async Task<Model> ListedAsync()
    {
        while (true)
        {
            if ((await Gateway.Models.ListAsync(new ModelServiceListRequest())).Models is [var model])
            {
                return model;
            }

            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
