using Dti.Server.Libraries;

namespace Dti.Server.Tests;

public sealed class LibraryFoldersTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-folders-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Of_PlainFolder_StandsForItself() => Assert.Equal([_folder], LibraryFolders.Of([_folder]).Models);

    [Fact]
    public void Of_ListOfFolders_HoldsWhatItNamesRelativeToItsBase()
    {
        var folders = LibraryFolders.Of([
            List(
                """
                # as ComfyUI's example
                comfyui:
                  base_path: store
                  checkpoints: |
                    models/checkpoints
                    /elsewhere/checkpoints
                  vae: models/vae/
                  loras: models/loras
                empty:
                listed:
                  diffusers: [a, b]
                  embeddings:
                """
            ),
        ]);

        Assert.Equal(
            [Below("store/models/checkpoints"), Path.GetFullPath("/elsewhere/checkpoints"), Below("a"), Below("b")],
            folders.Models
        );
        Assert.Equal(Below("store/models/vae"), Assert.Single(folders.Vae).TrimEnd(Path.DirectorySeparatorChar));
        Assert.Empty(folders.Embeddings);
    }

    [Fact]
    public void Of_BaseWithVariable_IsExpanded()
    {
        Environment.SetEnvironmentVariable("DTI_TEST_STORE", "somewhere");

        Assert.Equal(
            [Below("somewhere/x"), Below("$DTI_TEST_NOT_SET/y")],
            LibraryFolders
                .Of([
                    List(
                        """
                        a: { base_path: "${DTI_TEST_STORE}", checkpoints: x }
                        b: { base_path: $DTI_TEST_NOT_SET, checkpoints: y }
                        """
                    ),
                ])
                .Models
        );
    }

    [Fact]
    public void Of_ComfyFolder_PutsItsOwnAfterTheDefaultsOfItsList()
    {
        Directory.CreateDirectory(Below("models/checkpoints"));
        List("first: { is_default: true, embeddings: one }\nlater: { embeddings: two }\n");

        var folders = LibraryFolders.Of([_folder]);

        Assert.Equal([Below("one"), Below("models/embeddings"), Below("two")], folders.Embeddings);
        Assert.Equal([Below("models/checkpoints"), Below("models/diffusers")], folders.Models);
    }

    /// <summary>As PyYAML, which ComfyUI reads it with.</summary>
    [Fact]
    public void Of_KeyTwice_TakesTheLast() =>
        Assert.Equal(
            [Below("webui/c"), Below("webui/d")],
            LibraryFolders
                .Of([
                    List(
                        """
                        a111: { checkpoints: never }
                        a111:
                          base_path: nowhere
                          checkpoints: a
                          base_path: webui
                          checkpoints: [b]
                          checkpoints: |
                            c
                            d
                        """
                    ),
                ])
                .Models
        );

    [Fact]
    public void Of_EmptyList_NamesNothing() => Assert.Empty(LibraryFolders.Of([List("# nothing yet\n")]).Models);

    private string Below(string path) => Path.GetFullPath(Path.Combine(_folder, path));

    private string List(string yaml)
    {
        var path = Path.Combine(_folder, "extra_model_paths.yaml");
        File.WriteAllText(path, yaml);
        return path;
    }
}
