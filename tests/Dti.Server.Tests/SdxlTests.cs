using Dti.Engine.Checkpoints;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Tests;

/// <summary>A model with two text encoders through every service.</summary>
public sealed class SdxlTests : IAsyncDisposable
{
    private readonly TestServer _server = TestServer.Start(options =>
        options with
        {
            ModelFolders = [Path.Combine(Fixtures.Root, "tiny-sdxl")],
        }
    );

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Train_Sdxl_LearnsDirectionsForBothEncodersThatPromptsAndFilesHold()
    {
        Assert.Equal("sdxl", Assert.Single((await _server.Models.ListAsync(new())).Models).Family);
        var accepted = (await _server.TrainAsync(TestServer.Request("my-dog")))[0].Accepted;
        Assert.Equal(2, accepted.Settings.MagnitudeValues.Count);
        Assert.NotEqual(accepted.Settings.MagnitudeValues[0], accepted.Settings.MagnitudeValues[1]);

        var concept = (await _server.Concepts.GetAsync(new() { Name = "my-dog" })).Concept;
        Assert.Equal(("sdxl", 32), (concept.Family, concept.Dimension));
        Assert.Equal([32, 40], concept.Dimensions);
        Assert.Equal(accepted.Settings.MagnitudeValues, concept.Norms.Select(norm => norm), (a, b) =>
            Math.Abs(a - b) < 1e-5
        );
        Assert.NotEqual(
            await _server.PictureAsync(TestServer.Draw("a photo of dog")),
            await _server.PictureAsync(TestServer.Draw("a photo of <my-dog>"))
        );

        var file = await _server.Concepts.ExportAsync(new() { Name = "my-dog", Format = ConceptFormat.Webui });
        await _server.Concepts.ImportAsync(new() { Name = "again", Data = file.Data });
        Assert.Equal("sdxl", (await _server.Concepts.GetAsync(new() { Name = "again" })).Concept.Family);
        Assert.Equal(
            await _server.PictureAsync(TestServer.Draw("<my-dog>")),
            await _server.PictureAsync(TestServer.Draw("<again>"))
        );
        Assert.Equal(
            [0, 1],
            (await _server.Concepts.InspectAsync(new() { Name = "my-dog" })).Vectors.Select(vector => vector.Encoder)
        );
        Assert.Equal(["clip_g", "clip_l"], Keys(file.Data.ToByteArray()));
    }

    [Fact]
    public async Task Import_AFileForEachTextEncoder_IsOneConcept()
    {
        static ByteString Official(string name) =>
            ByteString.CopyFrom(
                File.ReadAllBytes(Path.Combine(Fixtures.Root, "tiny-sdxl", "expected", name + ".safetensors"))
            );

        var concept = (
            await _server.Concepts.ImportAsync(
                new()
                {
                    Name = "cat",
                    Data = Official("learned_embeds-cat"),
                    SecondData = Official("learned_embeds_2-cat"),
                }
            )
        ).Concept;

        Assert.Equal(("sdxl", 2), (concept.Family, concept.NumVectors));
        Assert.Equal([32, 40], concept.Dimensions);
        var uneven = new ConceptServiceImportRequest
        {
            Name = "x",
            Data = Official("learned_embeds-cat"),
            SecondData = Official("learned_embeds_2-toy"),
        };
        Assert.Equal(["second_data"], await Refusal.Fields(async () => await _server.Concepts.ImportAsync(uneven)));
    }

    [Fact]
    public async Task Interpolate_Sdxl_GoesAlongBothSpheres()
    {
        await _server.TrainAsync(TestServer.Request("a"));
        await _server.TrainAsync(TestServer.Request("b", change: request => request.Options.Initializer = "cat"));

        var events = await _server.InterpolateAsync(
            new InterpolateRequest
            {
                FromConcept = "a",
                ToConcept = "b",
                Frames = 3,
                Options = TestServer.Draw(""),
            }
        );

        Assert.Equal(2, events[0].Accepted.AnglesDegrees.Count);
        Assert.Equal(
            3,
            events
                .Where(e => e.Picture is not null)
                .Select(e => Convert.ToHexString(e.Picture.Data.Span))
                .Distinct()
                .Count()
        );
    }

    private static IEnumerable<string> Keys(byte[] data)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, data);
            using var file = SafetensorsFile.Open(path);
            return [.. file.Tensors.Keys.Order(StringComparer.Ordinal)];
        }
        finally
        {
            File.Delete(path);
        }
    }
}
