using Dti.Server.Configuration;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;

namespace Dti.Server.Tests;

/// <summary>A server that allows little.</summary>
public class LimitTests
{
    private static readonly RequestLimits _little = new()
    {
        MaxPhotos = 1,
        MaxTrainingSteps = 2,
        MaxBatchSize = 1,
        MaxResolution = 64,
        MaxPictures = 2,
        MaxPixels = 64 * 64,
        MaxSamplingSteps = 3,
    };

    [Fact]
    public async Task Train_BeyondEveryLimit_NamesThemAllWithBothNumbers()
    {
        await using var server = TestServer.Start(options => options with { Limits = _little });
        var request = TestServer.Request("big", steps: 3, change: r =>
            (r.Options.BatchSize, r.Options.Resolution, r.Options.PreviewEvery, r.Options.PreviewSteps) = (2, 72, 1, 4)
        );

        var error = await Refusal.Of(() => server.TrainAsync(request), StatusCode.InvalidArgument);

        var violations = Refusal.Detail<BadRequest>(error).FieldViolations;
        Assert.Equal(
            ["photos", "options.steps", "options.batch_size", "options.resolution", "options.preview_steps"],
            violations.Select(violation => violation.Field)
        );
        Assert.Equal("3 training steps are asked for; this server allows 2.", violations[1].Description);
        Assert.Empty((await server.Jobs.ListAsync(new())).Jobs);
    }

    [Fact]
    public async Task Train_AtEveryLimit_Trains()
    {
        await using var server = TestServer.Start(options => options with { Limits = _little });
        Assert.NotNull(
            (await server.TrainAsync(TestServer.Request("small", steps: 2, change: r => r.Photos.RemoveAt(1))))[
                ^1
            ].Result
        );
    }

    [Fact]
    public async Task Generate_BeyondEveryLimit_NamesThemAll()
    {
        await using var server = TestServer.Start(options => options with { Limits = _little });
        var draw = TestServer.Draw("a dog");
        (draw.Width, draw.Steps, draw.NumImages) = (72, 4, 3);
        Assert.Equal(
            ["options.num_images", "options.width", "options.steps"],
            await Refusal.Fields(() => server.GenerateAsync(draw))
        );
    }

    [Fact]
    public async Task Interpolate_MoreFramesThanAllowed_NamesThem()
    {
        await using var server = TestServer.Start(options =>
            options with
            {
                Limits = _little with { MaxTrainingSteps = 3, MaxPhotos = 2 },
            }
        );
        await server.TrainAsync(TestServer.Request("one", steps: 1));
        await server.TrainAsync(TestServer.Request("two", steps: 1));
        var request = new InterpolateRequest
        {
            FromConcept = "one",
            ToConcept = "two",
            Frames = 3,
            Options = new GenerationOptions
            {
                Width = 64,
                Height = 64,
                Steps = 2,
            },
        };
        Assert.Equal(["frames"], await Refusal.Fields(() => server.InterpolateAsync(request)));
    }

    [Fact]
    public async Task AnyJob_LittleDiskLeft_IsRefusedWithTheNumbersWhileTheRestAnswers()
    {
        await using var server = TestServer.Start(options => options with { MinFreeDiskBytes = long.MaxValue });
        Func<Task>[] calls =
        [
            () => server.TrainAsync(TestServer.Request("late")),
            () => server.GenerateAsync(TestServer.Draw("a dog")),
            () =>
                server
                    .Concepts.ImportAsync(
                        new ConceptServiceImportRequest { Name = "late", Data = Google.Protobuf.ByteString.CopyFrom(1) }
                    )
                    .ResponseAsync,
        ];
        foreach (var call in calls)
        {
            var error = await Refusal.Of(call, StatusCode.ResourceExhausted);
            Assert.Equal("DISK_LOW", Refusal.Reason(error));
            Assert.Matches(
                @"has [\d.]+ MiB left, and below 8796093022208 MiB nothing new is begun",
                error.Status.Detail
            );
            Assert.NotNull(Refusal.Detail<RetryInfo>(error).RetryDelay);
        }

        using var channel = server.NewChannel();
        Assert.Equal(
            HealthCheckResponse.Types.ServingStatus.NotServing,
            (await new Health.HealthClient(channel).CheckAsync(new())).Status
        );
        Assert.Empty((await server.Jobs.ListAsync(new())).Jobs);
    }
}
