using Dti.Tests;

namespace Dti.Mini.Tests;

/// <summary>The layers of the program that makes dti-mini, as compiled.</summary>
public sealed class LayersTests
{
    [Fact]
    public void Violations_Mini_RefersDownwardOnly()
    {
        var layers = new Layers(
            "Dti.Mini",
            ["World", "Text", "Training", "Models", "Sheets", "Subjects", "Stages", "Study", ""]
        );

        Assert.Empty(layers.Violations(typeof(Dti.Mini.World.Scene).Assembly));
    }
}
