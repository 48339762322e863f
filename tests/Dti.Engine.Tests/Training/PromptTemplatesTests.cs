using System.Runtime.InteropServices;
using System.Text.Json;
using Dti.Engine.Tests.Imaging;
using Dti.Engine.Training;
using Dti.Tests;

namespace Dti.Engine.Tests.Training;

public class PromptTemplatesTests
{
    public static IEnumerable<TheoryDataRow<string>> Folders =>
        Fixtures
            .ModelFolders()
            .Where(folder => File.Exists(Path.Combine(folder, "expected", "training_dti.json")))
            .Select(folder => new TheoryDataRow<string>(folder));

    [Theory]
    [MemberData(nameof(Folders))]
    public void Fill_RecordedTemplateIndices_GiveTheReferencesCaptions(string folder)
    {
        var indices = MemoryMarshal
            .Cast<byte, long>(
                PreprocessFixture.Read(
                    Path.Combine(folder, "expected", "training_dti.safetensors"),
                    "common/template_index"
                )
            )
            .ToArray();
        using var facts = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected", "training_dti.json")));

        foreach (var variant in facts.RootElement.GetProperty("variants").EnumerateObject())
        {
            var placeholder = variant.Value.GetProperty("identifier").GetString()!;
            var captions = variant
                .Value.GetProperty("captions")
                .EnumerateArray()
                .SelectMany(step => step.EnumerateArray())
                .Select(caption => caption.GetString());

            Assert.Equal(
                captions,
                indices.Select(index => (string?)PromptTemplates.Fill(PromptTemplates.Objects[(int)index], placeholder))
            );
        }
    }

    [Fact]
    public void For_Kind_GivesThePublishedList()
    {
        Assert.Equal(27, PromptTemplates.For(ConceptKind.Object).Count);
        Assert.Equal(19, PromptTemplates.For(ConceptKind.Style).Count);
        Assert.Equal("a painting in the style of {}", PromptTemplates.For(ConceptKind.Style)[0]);
    }

    [Fact]
    public void Templates_All_HoldThePlaceOfTheConceptOnce() =>
        Assert.All(PromptTemplates.Objects.Concat(PromptTemplates.Styles), template =>
            Assert.Equal(2, template.Split("{}").Length)
        );
}
