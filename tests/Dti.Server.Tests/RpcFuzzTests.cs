using Dti.Server.Tests.Infrastructure;
using Dti.Tests;

namespace Dti.Server.Tests;

/// <summary>A small part of what bench/ measures with 100,000 messages.</summary>
public class RpcFuzzTests
{
    [Fact]
    public async Task EveryCall_MessagesThatNobodyWouldSend_IsAnsweredAsDocumentedAndTheServerGoesOn()
    {
        // Little is allowed, so that what is let in ends soon.
        await using var server = TestServer.Start(options =>
            options with
            {
                Limits = new()
                {
                    MaxTrainingSteps = 1,
                    MaxBatchSize = 1,
                    MaxResolution = 64,
                    MaxPictures = 2,
                    MaxPixels = 64 * 64,
                    MaxSamplingSteps = 1,
                },
            }
        );
        await server.TrainAsync(TestServer.Request("one", steps: 1, change: r => r.Photos.RemoveAt(1)));
        var fuzz = new RpcFuzz(
            server.Address,
            seed: 1,
            TestServer.Photo().Data.ToByteArray(),
            "one",
            "two",
            "tiny-sd15",
            "dog"
        );

        var answers = await fuzz.RunAsync(1000, parallel: 4, TestContext.Current.CancellationToken);

        Assert.Equal(
            "",
            string.Join(
                '\n',
                answers
                    .Where(answer => !RpcFuzz.IsDocumented(answer.Key))
                    .Select(answer => $"{answer.Value} × {answer.Key}")
            )
        );
        Assert.True(
            answers.Keys.Select(answer => answer.Status).Distinct().Count() >= 4,
            "the messages are too much alike"
        );
        var draw = TestServer.Draw("a dog");
        draw.Steps = 1;
        Assert.NotEmpty(await server.PictureAsync(draw));
    }
}
