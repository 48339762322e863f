using Dti.Tests;

namespace Dti.Engine.Tests;

/// <summary>The layers of the engine, as compiled.</summary>
public sealed class LayersTests
{
    private static readonly string[] _order =
    [
        "", // errors
        "Runtime",
        "Runtime.Files",
        "Runtime.Kernels",
        "Runtime.Devices",
        "Configs",
        "Weights",
        "Tokenization",
        "Schedulers",
        "Imaging",
        "Checkpoints",
        "Models",
        "Models.Families.StableDiffusion",
        "Models.Families",
        "Concepts",
        "Generation",
        "Training",
        "Evaluation",
        "Planning",
        "Conversion",
    ];

    [Fact]
    public void Violations_Engine_RefersDownwardOnly() =>
        Assert.Empty(new Layers("Dti.Engine", _order).Violations(typeof(DtiException).Assembly));

    [Fact]
    public void Violations_LayersExchanged_NameTheReference()
    {
        var found = new Layers("Dti.Engine", [.. _order.Where(layer => layer != "Concepts"), "Concepts"]).Violations(
            typeof(DtiException).Assembly
        );

        Assert.Contains(
            "Dti.Engine.Generation.PromptEncoder refers to Dti.Engine.Concepts.ConceptEmbedding, which is in a higher layer.",
            found
        );
    }

    [Fact]
    public void Violations_NamespaceInNoLayer_IsNamed()
    {
        var found = new Layers("Dti.Engine", [.. _order.Where(layer => layer != "Evaluation")]).Violations(
            typeof(DtiException).Assembly
        );

        Assert.Contains("Dti.Engine.Evaluation.ClipEvaluator is in no layer.", found);
    }
}
