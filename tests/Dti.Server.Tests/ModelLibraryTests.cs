using Dti.Server.Configuration;
using Dti.Server.Libraries;
using Dti.Server.Tests.Infrastructure;
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
        var library = new ModelLibrary(
            new DtiServerOptions { ConceptFolder = _folder.FullName },
            LibraryFolders.Of([]),
            new VaeLibrary(LibraryFolders.Of([]))
        );

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
    public void DefaultName_OnlyABrokenConfiguredModel_IsThatOneAndNotTheBuiltInOne() =>
        Assert.Equal("broken", Library(Broken("broken")).DefaultName);

    [Fact]
    public void List_ConfiguredModelOfTheBuiltInName_TakesItsPlace()
    {
        var mine = Model("mine", "built-in");

        Assert.Equal(mine, Assert.Single(Library(mine).List()).Path);
    }

    [Fact]
    public void List_TwoConfiguredModelsOfOneName_NumbersTheSecond() =>
        Assert.Equal(
            ["built-in", "x", "x-2"],
            Library(Model("a", "x"), Model("b", "x")).List().Select(entry => entry.Name)
        );

    [Fact]
    public void List_FolderOfSingleFiles_TellsTheirFamiliesAndWhatIsNone()
    {
        var folder = _folder.CreateSubdirectory("checkpoints").FullName;
        SingleFile(Path.Combine(folder, "dreamy.safetensors"));
        File.Copy(
            Path.Combine(Fixtures.Root, "tiny-sd15", "expected", "webui-cat.safetensors"),
            Path.Combine(folder, "cat.safetensors")
        );
        File.WriteAllText(Path.Combine(folder, "readme.txt"), "models");

        var library = Library(folder);

        Assert.Equal(["built-in", "cat", "dreamy"], library.List().Select(entry => entry.Name));
        Assert.Equal("dreamy", library.DefaultName);
        Assert.Equal("sd1", library.Get("dreamy").Family);
        Assert.Contains("an embedding", library.Find("cat").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void List_FoldersBelow_AreNamedByTheirPaths()
    {
        var root = _folder.CreateSubdirectory("models").FullName;
        SingleFile(Path.Combine(root, "anime", "new", "dreamy.v2.safetensors"));
        Model("models/photo", "real");

        var library = Library(root);

        Assert.Equal(["anime/new/dreamy.v2", "built-in", "photo/real"], library.List().Select(entry => entry.Name));
        Assert.Equal("anime/new/dreamy.v2.safetensors", library.Find("anime/new/dreamy.v2").RelativePath);
    }

    [Theory]
    [InlineData("ComfyUI")]
    [InlineData("ComfyUI/models")]
    public void List_ComfyFolder_HoldsCheckpointsAndDiffusersAndWhatItsListNames(string configured)
    {
        var comfy = _folder.CreateSubdirectory("ComfyUI").FullName;
        SingleFile(Path.Combine(comfy, "models", "checkpoints", "dreamy.safetensors"));
        SingleFile(Path.Combine(comfy, "models", "loras", "passed-over.safetensors"));
        Model("ComfyUI/models/diffusers", "real");
        SingleFile(Path.Combine(_folder.FullName, "webui", "models", "Stable-diffusion", "old.safetensors"));
        File.WriteAllText(
            Path.Combine(comfy, "extra_model_paths.yaml"),
            "a111:\n  base_path: ../webui\n  checkpoints: models/Stable-diffusion\n"
        );

        Assert.Equal(
            ["built-in", "dreamy", "old", "real"],
            Library(Path.Combine(_folder.FullName, configured)).List().Select(entry => entry.Name)
        );
    }

    [Fact]
    public void List_FilesAddedChangedAndRemoved_AreNoticed()
    {
        var folder = _folder.CreateSubdirectory("checkpoints").FullName;
        var library = Library(folder);
        var (first, second) = (Path.Combine(folder, "first.safetensors"), Path.Combine(folder, "second.safetensors"));
        Assert.Equal("built-in", library.DefaultName);

        File.WriteAllText(first, "not yet whole");
        Assert.NotEqual("", library.Find("first").Problem);
        File.Delete(first);
        SingleFile(first);
        var profile = library.Get("first");
        SingleFile(second);

        Assert.Same(profile, library.Get("first"));
        Assert.Equal(["built-in", "first", "second"], library.List().Select(entry => entry.Name));
        File.Delete(first);
        Assert.Equal(["built-in", "second"], library.List().Select(entry => entry.Name));
    }

    [Fact]
    public void List_SameNameAppearsInAnEarlierFolder_LeavesTheOldOneItsName()
    {
        var (early, late) = (_folder.CreateSubdirectory("early").FullName, _folder.CreateSubdirectory("late").FullName);
        var (old, added) = (SingleFile(Path.Combine(late, "x.safetensors")), Path.Combine(early, "x.safetensors"));
        do
        {
            File.Delete(added);
            SingleFile(added);
        } while (File.GetCreationTimeUtc(added) <= File.GetCreationTimeUtc(old)); // clocks of file systems are coarse

        var library = Library(early, late);

        Assert.Equal((old, added), (library.Find("x").Path, library.Find("x-2").Path));
    }

    [Fact]
    public void List_LinksInACircle_Ends()
    {
        var folder = _folder.CreateSubdirectory("checkpoints").FullName;
        SingleFile(Path.Combine(folder, "dreamy.safetensors"));
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(folder, "again"), folder);
        }
        catch (IOException)
        {
            Assert.Skip("this user may not make links");
        }

        Assert.Equal(["built-in", "dreamy"], Library(folder).List().Select(entry => entry.Name));
    }

    private ModelLibrary Library(params string[] configured)
    {
        var folders = LibraryFolders.Of(configured);
        return new(
            new DtiServerOptions { ConceptFolder = _folder.FullName, BuiltInModel = _builtIn },
            folders,
            new VaeLibrary(folders)
        );
    }

    private static string SingleFile(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        PublishedCheckpoint.Write(path);
        return path;
    }

    private string Broken(string name)
    {
        var folder = _folder.CreateSubdirectory(name).FullName;
        File.WriteAllText(Path.Combine(folder, "model_index.json"), "{");
        return folder;
    }

    private string Model(string parent, string name) =>
        Fixtures.CopyModel("tiny-sd15", Path.Combine(_folder.FullName, parent, name));
}
