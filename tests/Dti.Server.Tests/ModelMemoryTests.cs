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

        Assert.Equal(held, string.Join(',', (await server.Models.ListAsync(new())).Models.Where(model => model.Loaded).Select(model => model.Name)));
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

    private static TestServer Start(long budget) => TestServer.Start(options => options with
    {
        ModelFolders = [Path.Combine(Fixtures.Root, "tiny-sd15"), Path.Combine(Fixtures.Root, "tiny-sd21")],
        ModelMemoryBytes = budget,
    });

    private static GenerationOptions Draw(string model)
    {
        var options = TestServer.Draw("a dog");
        options.Model = model;
        return options;
    }
}
