using System.Text;
using Dti.Engine.Checkpoints;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dti.Server.Tests;

/// <summary>SANA through every service, in little memory, beside a model of another family.</summary>
public sealed class SanaTests : IAsyncDisposable
{
    private const string Sana = "tiny-sana";
    private readonly TestServer _server = TestServer.Start(options =>
        options with
        {
            ModelFolders = [Path.Combine(Fixtures.Root, Sana), Path.Combine(Fixtures.Root, "tiny-sd15")],
            Memory = "low",
        }
    );

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Train_Sana_LearnsAConceptThatPromptsAndFilesHold()
    {
        var model = (await _server.Models.ListAsync(new())).Models.Single(model => model.Name == Sana);
        Assert.Equal(("sana", 1024, 40), (model.Family, model.Resolution, model.EmbeddingDimension));

        var events = await _server.TrainAsync(Request("my-dog", change: request => request.Options.PreviewEvery = 3));
        var accepted = events[0].Accepted;
        Assert.Equal(5e-5, accepted.Settings.Kappa);
        Assert.Equal(0.01, accepted.Settings.LearningRate);
        Assert.Single(events, happened => happened.Preview is not null);

        var concept = (await _server.Concepts.GetAsync(new() { Name = "my-dog" })).Concept;
        Assert.Equal(("sana", 40), (concept.Family, concept.Dimension));
        Assert.Equal(["gemma2_2b, 40 wide, attention softcapping off"], concept.TextEncoders);
        Assert.NotEqual(
            await _server.PictureAsync(Draw("a photo of dog")),
            await _server.PictureAsync(Draw("a photo of <my-dog>"))
        );

        var file = await _server.Concepts.ExportAsync(new() { Name = "my-dog", Format = ConceptFormat.Diffusers });
        var header = Encoding.UTF8.GetString(file.Data.ToByteArray());
        Assert.Contains("\"dti.family\":\"sana\"", header, StringComparison.Ordinal);
        await _server.Concepts.ImportAsync(new() { Name = "again", Data = file.Data });
        var again = (await _server.Concepts.GetAsync(new() { Name = "again" })).Concept;
        Assert.Equal(("sana", concept.TextEncoders), (again.Family, again.TextEncoders));
        Assert.Equal(await _server.PictureAsync(Draw("<my-dog>")), await _server.PictureAsync(Draw("<again>")));
        var inspection = await _server.Concepts.InspectAsync(new() { Name = "my-dog", Model = Sana });
        Assert.InRange(inspection.VocabularyNormMean, 1.7, 1.9);
        Assert.Equal(0, Assert.Single(inspection.Vectors).PositionReadability);
    }

    [Fact]
    public async Task Generate_Sana_HasAnInstructionThatCanBeLeftOut()
    {
        var (with, without) = (Draw("a photo of a dog"), Draw("a photo of a dog"));
        without.OmitInstruction = true;

        Assert.NotEqual(await _server.PictureAsync(with), await _server.PictureAsync(without));
        without.Width = 72;
        Assert.Equal(["options.width"], await Refusal.Fields(() => _server.GenerateAsync(without)));
    }

    [Fact]
    public async Task Resume_Sana_EqualsTheUnbrokenTraining()
    {
        await _server.TrainAsync(Request("whole", steps: 6));
        await _server.TrainAsync(Request("short", steps: 4, change: request => request.RequestId = "short"));

        var events = await _server.TrainAsync(
            new TrainRequest
            {
                Name = "short",
                Resume = new TrainResume(),
                Options = new TrainingOptions { Steps = 6 },
            }
        );

        Assert.Equal(4, events[0].Accepted.StepsDone);
        Assert.Equal(await _server.VectorsAsync("whole"), await _server.VectorsAsync("short"));
    }

    [Fact]
    public async Task Interpolate_Sana_GoesAlongTheSphere()
    {
        await _server.TrainAsync(Request("a"));
        await _server.TrainAsync(Request("b", change: request => request.Options.Initializer = "cat"));

        var events = await _server.InterpolateAsync(
            new InterpolateRequest
            {
                FromConcept = "a",
                ToConcept = "b",
                Frames = 3,
                Options = Draw(""),
            }
        );

        Assert.True(Assert.Single(events[0].Accepted.AnglesDegrees) > 1);
        Assert.Equal(
            3,
            events
                .Where(e => e.Picture is not null)
                .Select(e => Convert.ToHexString(e.Picture.Data.Span))
                .Distinct()
                .Count()
        );
    }

    [Fact]
    public async Task Generate_ConceptOfAnotherFamily_NamesBoth()
    {
        await _server.TrainAsync(TestServer.Request("my-dog", change: request => request.Options.Model = "tiny-sd15"));

        var refused = await Refusal.Of(
            () => _server.GenerateAsync(Draw("a photo of <my-dog>")),
            StatusCode.FailedPrecondition
        );

        Assert.Contains("is of the family sd1", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("is of the family sana and needs 40", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_FileOfAnotherFamilyWithTheSameWidth_IsRefused()
    {
        var path = Path.Combine(Fixtures.Root, Sana, "expected", "learned_embeds-toy.safetensors");
        using var file = SafetensorsFile.Open(path);
        using var copy = new MemoryStream();
        SafetensorsWriter.Write(
            copy,
            file.Tensors.Keys.ToDictionary(name => name, file.Read),
            new Dictionary<string, string> { ["dti.family"] = "sdxl" }
        );

        var refused = await Refusal.Of(
            async () =>
                await _server.Concepts.ImportAsync(
                    new()
                    {
                        Name = "toy",
                        Data = ByteString.CopyFrom(copy.ToArray()),
                        Model = Sana,
                    }
                ),
            StatusCode.FailedPrecondition
        );

        Assert.Contains("family sdxl", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("family sana", refused.Status.Detail, StringComparison.Ordinal);
    }

    private static TrainRequest Request(string name, int steps = 3, Action<TrainRequest>? change = null) =>
        TestServer.Request(name, steps, request =>
        {
            request.Options.Model = Sana;
            request.Options.PreviewSteps = 1;
            change?.Invoke(request);
        });

    private static GenerationOptions Draw(string prompt)
    {
        var options = TestServer.Draw(prompt);
        options.Model = Sana;
        return options;
    }
}
