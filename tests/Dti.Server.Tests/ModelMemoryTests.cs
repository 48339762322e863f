using System.Text;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Tests;

/// <summary>Which models a server holds. The tiny ones take 1.4 MB (sd15) and 1.5 MB (sd21) in fp32.</summary>
public class ModelMemoryTests
{
    [Theory]
    [InlineData(4_000_000, "tiny-sd15,tiny-sd21")]
    [InlineData(2_000_000, "tiny-sd21")]
    public async Task Generate_TwoModels_HoldsWhatTheBudgetAllows(long budget, string held)
    {
        await using var server = Start(budget);

        var first = await server.PictureAsync(Draw("tiny-sd15"));
        await server.PictureAsync(Draw("tiny-sd21"));

        Assert.Equal(
            held,
            string.Join(
                ',',
                (await server.Models.ListAsync(new())).Models.Where(model => model.Loaded).Select(model => model.Name)
            )
        );
        Assert.Equal(first, await server.PictureAsync(Draw("tiny-sd15"))); // loaded again or not, the same
    }

    [Fact]
    public async Task Generate_ModelThatCannotFit_IsRefusedWithTheNumbers()
    {
        await using var server = Start(1_000_000);

        var error = await Refusal.Of(() => server.GenerateAsync(Draw("tiny-sd15")), StatusCode.FailedPrecondition);

        Assert.Contains("Model 'tiny-sd15' in fp32 takes 0.00", error.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("models may take 0.000931 GiB", error.Status.Detail, StringComparison.Ordinal);
        Assert.All((await server.Models.ListAsync(new())).Models, model => Assert.False(model.Fits));
    }

    [Fact]
    public async Task Generate_SwapsUnderLoadToAModelThatFailsToLoad_LeaveTheOthersPicturesRight()
    {
        var folder = Directory.CreateTempSubdirectory("dti-swap-");
        Fixtures.CopyModel("tiny-sd15", Path.Combine(folder.FullName, "broken"));
        var unet = Path.Combine(folder.FullName, "broken", "unet", "diffusion_pytorch_model.safetensors");
        var bytes = Encoding
            .Latin1.GetString(await File.ReadAllBytesAsync(unet))
            .Replace("\"conv_in.weight\"", "\"conv_in.wrong!\"", StringComparison.Ordinal); // found out when it loads
        await File.WriteAllBytesAsync(unet, Encoding.Latin1.GetBytes(bytes));
        await using (
            var server = TestServer.Start(options =>
                options with
                {
                    ModelFolders =
                    [
                        Path.Combine(Fixtures.Root, "tiny-sd15"),
                        Path.Combine(Fixtures.Root, "tiny-sd21"),
                        folder.FullName,
                    ],
                    ModelMemoryBytes = 2_000_000, // one of them
                }
            )
        )
        {
            var (first, second) = (
                await server.PictureAsync(Draw("tiny-sd15")),
                await server.PictureAsync(Draw("tiny-sd21"))
            );

            await Task.WhenAll(
                Enumerable
                    .Range(0, 15)
                    .Select(async number =>
                    {
                        switch (number % 3)
                        {
                            case 0:
                                Assert.Equal(first, await server.PictureAsync(Draw("tiny-sd15")));
                                break;
                            case 1:
                                Assert.Equal(second, await server.PictureAsync(Draw("tiny-sd21")));
                                break;
                            default:
                                var error = await Refusal.Of(
                                    () => server.GenerateAsync(Draw("broken")),
                                    StatusCode.FailedPrecondition
                                );
                                Assert.Contains("conv_in.w", error.Status.Detail, StringComparison.Ordinal);
                                break;
                        }
                    })
            );
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Train_MoreThanAJobMayTake_IsRefusedWithTheNumbersBeforeItIsAccepted()
    {
        await using var server = TestServer.Start(options => options with { JobMemoryBytes = 300L << 20 });
        await server.TrainAsync(TestServer.Request("small"));

        var error = await Refusal.Of(
            () =>
                server.TrainAsync(
                    TestServer.Request("large", change: request =>
                        (request.Options.BatchSize, request.Options.Resolution) = (64, 256)
                    )
                ),
            StatusCode.ResourceExhausted
        );

        Assert.Equal("JOB_TOO_LARGE", Refusal.Reason(error));
        Assert.Matches(
            @"^Training with batches of 64 crops of 256 × 256 takes about [\d.]+ GiB .* a job may take 0\.293 GiB here\.",
            error.Status.Detail
        );
        var numbers = Refusal.Detail<Google.Rpc.ErrorInfo>(error).Metadata;
        Assert.Equal("314572800", numbers["available_bytes"]);
        Assert.True(
            long.Parse(numbers["needed_bytes"], System.Globalization.CultureInfo.InvariantCulture) > 314_572_800
        );
        Assert.Single((await server.Jobs.ListAsync(new())).Jobs);
    }

    [Fact]
    public async Task Generate_LargerThanAJobMayTake_IsRefused()
    {
        await using var server = TestServer.Start(options => options with { JobMemoryBytes = 300L << 20 });
        var draw = TestServer.Draw("a dog");
        (draw.Width, draw.Height) = (2048, 2048);
        Assert.Equal(
            "JOB_TOO_LARGE",
            Refusal.Reason(await Refusal.Of(() => server.GenerateAsync(draw), StatusCode.ResourceExhausted))
        );
    }

    private static TestServer Start(long budget) =>
        TestServer.Start(options =>
            options with
            {
                ModelFolders = [Path.Combine(Fixtures.Root, "tiny-sd15"), Path.Combine(Fixtures.Root, "tiny-sd21")],
                ModelMemoryBytes = budget,
            }
        );

    private static GenerationOptions Draw(string model)
    {
        var options = TestServer.Draw("a dog");
        options.Model = model;
        return options;
    }
}
