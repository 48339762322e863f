using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;

namespace Dti.Server.Tests;

/// <summary>The settings that PNG images carry.</summary>
public sealed class PictureMetadataTests : IAsyncLifetime
{
    private readonly TestServer _server = TestServer.Start();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Generate_Png_CarriesTheSettingsAsA1111WritesThem()
    {
        var options = Options("a dog, sleeping");
        (options.NegativePrompt, options.Scheduler, options.NumImages) = ("a cat", "dpmpp_2m_karras", 2);

        var texts = Texts((await PicturesAsync(options))[1]);

        Assert.Matches(
            "^a dog, sleeping\nNegative prompt: a cat\nSteps: 2, Sampler: DPM\\+\\+ 2M, Schedule type: Karras, CFG scale: 7.5, "
                + "Seed: 3, Size: 64x64, Model: tiny-sd15, Batch size: 2, Batch pos: 1, Version: Dti \\S+$",
            texts["parameters"]
        );
    }

    [Fact]
    public async Task Generate_Png_CarriesAGraphForComfyUIAndTheRequest()
    {
        var options = Options("a dog\nin the snow");
        options.Scheduler = "euler_karras";

        var texts = Texts((await PicturesAsync(options))[0]);

        using var graph = JsonDocument.Parse(texts["prompt"]);
        var node = graph.RootElement.GetProperty("1");
        var inputs = node.GetProperty("inputs");
        Assert.Equal("DtiGenerate", node.GetProperty("class_type").GetString());
        Assert.Equal("a dog\nin the snow", inputs.GetProperty("prompt").GetString());
        Assert.Equal("euler", inputs.GetProperty("sampler_name").GetString());
        Assert.Equal("karras", inputs.GetProperty("scheduler").GetString());
        Assert.Equal("3", inputs.GetProperty("seed").GetRawText());
        using var request = JsonDocument.Parse(texts["dti"]);
        var repeated = GenerationOptions.Parser.ParseJson(request.RootElement.GetProperty("options").GetRawText());
        Assert.Equal("euler_karras", repeated.Scheduler);
        Assert.Equal("fp32", repeated.Dtype);
    }

    [Fact]
    public async Task Interpolate_Png_CarriesBothConceptsAndItsPlace()
    {
        await _server.TrainAsync(TestServer.Request("a"));
        await _server.TrainAsync(TestServer.Request("b"));

        var events = await _server.InterpolateAsync(
            new InterpolateRequest
            {
                FromConcept = "a",
                ToConcept = "b",
                Frames = 3,
                Options = Options(""),
            }
        );

        var texts = Texts(events.Where(e => e.Picture is not null).ElementAt(1).Picture);
        Assert.StartsWith("a photo of {concept}\nSteps: 2, ", texts["parameters"], StringComparison.Ordinal);
        Assert.Contains(", Blend: \"a to b, t 0.5\", ", texts["parameters"], StringComparison.Ordinal);
        using var graph = JsonDocument.Parse(texts["prompt"]);
        var inputs = graph.RootElement.GetProperty("1").GetProperty("inputs");
        Assert.Equal(0.5, inputs.GetProperty("t").GetDouble());
        var from = inputs.GetProperty("from_concept")[0].GetString()!;
        Assert.Equal("a", graph.RootElement.GetProperty(from).GetProperty("inputs").GetProperty("name").GetString());
    }

    [Fact]
    public async Task Generate_OmitMetadata_LeavesTheTextOutAndTheImageAsItIs()
    {
        var (with, without) = (Options("a dog"), Options("a dog"));
        without.OmitMetadata = true;

        var (carries, plain) = ((await PicturesAsync(with))[0], (await PicturesAsync(without))[0]);

        Assert.Empty(Texts(plain));
        Assert.Equal(3, Texts(carries).Count);
        Assert.Equal(Pixels(plain), Pixels(carries));

        static byte[] Pixels(Picture picture) =>
            Engine.Imaging.ImageCodec.Decode(picture.Data.Span, "image").Pixels.ToArray();
    }

    private static GenerationOptions Options(string prompt)
    {
        var options = TestServer.Draw(prompt);
        options.ClearOmitMetadata();
        return options;
    }

    private async Task<Picture[]> PicturesAsync(GenerationOptions options) =>
        [.. (await _server.GenerateAsync(options)).Where(e => e.Picture is not null).Select(e => e.Picture)];

    private static Dictionary<string, string> Texts(Picture picture)
    {
        var texts = new Dictionary<string, string>();
        var file = picture.Data.Span;
        for (var at = 8; at < file.Length; )
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file[at..]);
            var body = file.Slice(at + 8, length);
            if (file.Slice(at + 4, 4).SequenceEqual("tEXt"u8))
            {
                var end = body.IndexOf((byte)0);
                texts.Add(Encoding.Latin1.GetString(body[..end]), Encoding.Latin1.GetString(body[(end + 1)..]));
            }

            at += 12 + length;
        }

        return texts;
    }
}
