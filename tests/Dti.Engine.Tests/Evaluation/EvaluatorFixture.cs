using System.Text.Json;
using Dti.Engine.Evaluation;
using Dti.Engine.Imaging;
using Dti.Tests;

namespace Dti.Engine.Tests.Evaluation;

/// <summary>
/// An evaluator of <c>fixtures/evaluators</c> with what transformers and the reference's metrics give for it.
/// </summary>
internal sealed class EvaluatorFixture(string name) : IDisposable
{
    public static string Root { get; } = Path.Combine(Fixtures.Root, "evaluators");

    public string Folder { get; } = Path.Combine(Root, name);

    public Golden Golden { get; } = new(Path.Combine(Root, name, "expected", $"{name}.safetensors"));

    public JsonElement Facts { get; } =
        JsonDocument
            .Parse(File.ReadAllBytes(FixtureUse.Note(Path.Combine(Root, name, "expected", $"{name}.json"))))
            .RootElement;

    public string[] Texts => [.. Facts.GetProperty("texts").EnumerateArray().Select(text => text.GetString()!)];

    public RgbImage[] Images => Pictures("images");

    public RgbImage[] References => Pictures("references");

    public IImageEncoder Load() => Evaluator.Load(Folder);

    public void Dispose() => Golden.Dispose();

    /// <summary>A copy of the folder that a test may damage; without what is expected.</summary>
    public static string Copy(string name, string target) =>
        Fixtures.CopyModel(Path.Combine("evaluators", name), target);

    private RgbImage[] Pictures(string key) =>
        [
            .. Facts
                .GetProperty(key)
                .EnumerateArray()
                .Select(picture =>
                    ImageCodec.Decode(
                        File.ReadAllBytes(FixtureUse.Note(Path.Combine(Root, $"{picture.GetString()}.png"))),
                        key
                    )
                ),
        ];
}
