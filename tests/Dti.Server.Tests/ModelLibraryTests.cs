using Dti.Server.Libraries;
using Dti.Tests;

namespace Dti.Server.Tests;

public sealed class ModelLibraryTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-models-");
    private readonly string _builtIn;

    public ModelLibraryTests() => _builtIn = Model("in", "built-in");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void BuiltInModel_ByDefault_IsBesideTheProgramAndUsable()
    {
        var library = new ModelLibrary(new DtiServerOptions { ConceptFolder = _folder.FullName });

        Assert.NotNull(Assert.Single(library.List()).Profile);
        Assert.Equal(library.Get(null), library.List()[0].Profile);
    }

    [Fact]
    public void DefaultName_NoConfiguredModel_IsTheBuiltInOne() => Assert.Equal("built-in", Library().DefaultName);

    [Fact]
    public void DefaultName_ConfiguredModels_IsTheFirstUsableInTheirOrder()
    {
        var (broken, second, first) = (Broken("a"), Model("b", "second"), Model("c", "first"));

        var library = Library(broken, first, second);

        Assert.Equal("first", library.DefaultName);
        Assert.Equal(["a", "built-in", "first", "second"], library.List().Select(entry => entry.Name));
    }

    [Fact]
    public void DefaultName_OnlyABrokenConfiguredModel_IsThatOneAndNotTheBuiltInOne() => Assert.Equal("broken", Library(Broken("broken")).DefaultName);

    [Fact]
    public void List_ConfiguredModelOfTheBuiltInName_TakesItsPlace()
    {
        var mine = Model("mine", "built-in");

        Assert.Equal(mine, Assert.Single(Library(mine).List()).Path);
    }

    [Fact]
    public void List_TwoConfiguredModelsOfOneName_NumbersTheSecond() =>
        Assert.Equal(["built-in", "x", "x-2"], Library(Model("a", "x"), Model("b", "x")).List().Select(entry => entry.Name));

    [Fact]
    public void List_FolderOfSingleFiles_TellsTheirFamiliesAndWhatIsNone()
    {
        var folder = _folder.CreateSubdirectory("checkpoints").FullName;
        File.Copy(Path.Combine(Fixtures.Root, "tiny-sd15", "single_file.safetensors"), Path.Combine(folder, "dreamy.safetensors"));
        File.Copy(Path.Combine(Fixtures.Root, "tiny-sd15", "expected", "webui-cat.safetensors"), Path.Combine(folder, "cat.safetensors"));
        File.WriteAllText(Path.Combine(folder, "readme.txt"), "models");

        var library = Library(folder);

        Assert.Equal(["built-in", "cat", "dreamy"], library.List().Select(entry => entry.Name));
        Assert.Equal("dreamy", library.DefaultName);
        Assert.Equal("sd1", library.Get("dreamy").Family);
        Assert.Contains("an embedding", library.Find("cat").Problem, StringComparison.Ordinal);
    }

    private ModelLibrary Library(params string[] folders) =>
        new(new DtiServerOptions { ConceptFolder = _folder.FullName, ModelFolders = folders, BuiltInModel = _builtIn });

    private string Broken(string name)
    {
        var folder = _folder.CreateSubdirectory(name).FullName;
        File.WriteAllText(Path.Combine(folder, "model_index.json"), "{");
        return folder;
    }

    private string Model(string parent, string name) => Fixtures.CopyModel("tiny-sd15", Path.Combine(_folder.FullName, parent, name));
}
