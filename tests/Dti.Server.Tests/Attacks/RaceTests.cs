using Dti.Server.Libraries;
using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Tests.Attacks;

/// <summary>What is decided about a concept and what is then done are one.</summary>
public sealed class RaceTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Import_OneNameManyTimesAtOnce_SucceedsOnce()
    {
        await using var server = TestServer.Start();
        for (var round = 0; round < 5; round++)
        {
            var name = $"race{round}";
            var codes = await Task.WhenAll(
                Enumerable
                    .Range(1, 6)
                    .Select(value => CodeOf(() => server.Concepts.ImportAsync(Import(name, value)).ResponseAsync))
            );
            Assert.Equal(1, codes.Count(code => code == StatusCode.OK));
            Assert.Equal(5, codes.Count(code => code == StatusCode.AlreadyExists));
        }
    }

    [Fact]
    public async Task Delete_WhileAnotherCallerImports_NeverTakesTheirs()
    {
        await using var server = GuardedServer.Start();
        var (anna, bob) = (
            new ConceptService.ConceptServiceClient(server.As("anna", "read", "train")),
            new ConceptService.ConceptServiceClient(server.As("bob", "read", "train"))
        );
        using var over = new CancellationTokenSource();
        Task[] away =
        [
            .. Enumerable
                .Range(0, 3)
                .Select(_ =>
                    Task.Run(
                        async () =>
                        {
                            while (!over.IsCancellationRequested)
                            {
                                await CodeOf(() => anna.ImportAsync(Import("x")).ResponseAsync);
                                await CodeOf(() => anna.DeleteAsync(new() { Name = "x" }).ResponseAsync);
                            }
                        },
                        Cancellation
                    )
                ),
        ];

        var made = 0;
        for (var time = 0; time < 400 && made < 25; time++)
        {
            if (await CodeOf(() => bob.ImportAsync(Import("x")).ResponseAsync) == StatusCode.OK)
            {
                made++;
                Assert.Equal(StatusCode.OK, await CodeOf(() => bob.GetAsync(new() { Name = "x" }).ResponseAsync));
                Assert.Equal(StatusCode.OK, await CodeOf(() => bob.DeleteAsync(new() { Name = "x" }).ResponseAsync));
            }
        }

        await over.CancelAsync();
        await Task.WhenAll(away);
        Assert.True(made > 0, "bob never had the name");
    }

    [Fact]
    public async Task Import_ManyAtOnceNearTheQuota_StoresOneBeyondItAtMost()
    {
        await using var server = TestServer.Start(options => options with { PerCaller = new() { MaxStoredBytes = 1 } });
        var codes = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(i => CodeOf(() => server.Concepts.ImportAsync(Import($"c{i}")).ResponseAsync))
        );
        Assert.Equal(1, codes.Count(code => code == StatusCode.OK));
        Assert.Equal(7, codes.Count(code => code == StatusCode.ResourceExhausted));
    }

    [Fact]
    public async Task Delete_ConceptThatIsTrainedAgain_IsRefusedAndTheTrainingKeepsItsFolder()
    {
        await using var server = TestServer.Start();
        await server.TrainAsync(TestServer.Request("cat"));
        using var call = server.Dti.Train(
            TestServer.Request("cat", steps: 100_000, change: request => request.Overwrite = true)
        );
        string? jobId = null;
        while (
            await call.ResponseStream.MoveNext(Cancellation)
            && call.ResponseStream.Current.Progress is not { Step: >= 1 }
        )
        {
            jobId ??= call.ResponseStream.Current.Accepted?.JobId;
        }

        var refused = await Refusal.Of(
            () => server.Concepts.DeleteAsync(new() { Name = "cat" }).ResponseAsync,
            StatusCode.AlreadyExists
        );

        Assert.Equal("CONCEPT_IN_TRAINING", Refusal.Reason(refused));
        var runs = server.Services.GetRequiredService<TrainingRuns>();
        runs.Delete("cat", Caller.Local); // as a deletion that was decided before the training began
        Assert.Equal(jobId, runs.JobOf("cat"));
        await server.Jobs.CancelAsync(new() { JobId = jobId! });
        await server.UntilAsync(jobId!, job => job.State == JobState.Cancelled);
    }

    internal static ConceptServiceImportRequest Import(
        string name,
        int value = 1,
        bool overwrite = false,
        Dictionary<string, string>? metadata = null
    )
    {
        using var file = new MemoryStream();
        using var vector = TorchSharp.torch.full([1, 768], value * 0.1f);
        Engine.Checkpoints.SafetensorsWriter.Write(
            file,
            new Dictionary<string, TorchSharp.torch.Tensor> { ["<x>"] = vector },
            metadata ?? []
        );
        return new()
        {
            Name = name,
            Data = ByteString.CopyFrom(file.ToArray()),
            Overwrite = overwrite,
        };
    }

    internal static async Task<StatusCode> CodeOf(Func<Task> call)
    {
        try
        {
            await call();
            return StatusCode.OK;
        }
        catch (RpcException error)
        {
            return error.StatusCode;
        }
    }
}
