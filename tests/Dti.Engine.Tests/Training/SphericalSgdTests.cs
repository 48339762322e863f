using System.Text.Json;
using Dti.Engine.Training;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Training;

/// <summary>The optimiser against the reference implementation's, 50 steps, at most 1e-5.</summary>
public class SphericalSgdTests
{
    public static TheoryData<string> Runs()
    {
        using var golden = new Golden(Fixtures.Common("sphericalsgd.safetensors"));
        return [.. golden.Names.Select(name => name.Split('/')[0]).Distinct()];
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Step_GoldenGradients_FollowsTheReference(string run)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(Fixtures.Common("sphericalsgd.safetensors"));
        using var json = JsonDocument.Parse(File.ReadAllText(Fixtures.Common("sphericalsgd.json")));
        var settings = Find(json.RootElement, run);
        var p = golden[$"{run}/p0"].clone();
        var mu = golden[$"{run}/mu"];
        if (mu.shape[0] < p.shape[0])
        {
            mu = cat([mu, zeros([p.shape[0] - mu.shape[0], p.shape[1]])]); // rows without a prior
        }

        using var optimizer = new SphericalSgd(
            p,
            settings.GetProperty("lr").GetDouble(),
            settings.GetProperty("beta").GetDouble(),
            new VonMisesFisherPrior(mu, settings.GetProperty("kappa").GetDouble())
        );
        var grads = golden[$"{run}/grads"];
        for (var step = 0; step < grads.shape[0]; step++)
        {
            optimizer.Step(grads[step]);
            golden.AssertClose($"{run}/p", p, recorded => recorded[step]);
            golden.AssertClose($"{run}/v_t", optimizer.SecondMoment, recorded => recorded[step]);
        }
    }

    [Fact]
    public void Step_BetaZero_MovesByTheAngleOfEtaWhateverTheGradient()
    {
        using var scope = NewDisposeScope();
        foreach (var size in new[] { 1e-6f, 1f, 1e6f })
        {
            var v = tensor(
                new float[,]
                {
                    { 1, 0 },
                }
            );
            using var optimizer = new SphericalSgd(v, 0.01, 0, new VonMisesFisherPrior(zeros_like(v), 0));
            optimizer.Step(
                tensor(
                    new[,]
                    {
                        { 3f, size },
                    }
                )
            );
            Assert.Equal(
                -Math.Atan(0.01),
                Math.Atan2(v[0, 1].item<float>(), v[0, 0].item<float>()),
                size < 1e-3 ? 2e-4 : 1e-7
            );
        }
    }

    private static JsonElement Find(JsonElement json, string run) =>
        json.TryGetProperty(run, out var found)
            ? found
            : json.EnumerateObject()
                .Select(pair => pair.Value)
                .First(value => value.ValueKind == JsonValueKind.Object && value.TryGetProperty(run, out _))
                .GetProperty(run);
}
