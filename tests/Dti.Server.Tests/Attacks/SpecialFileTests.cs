using System.Diagnostics;
using System.Runtime.Versioning;
using Dti.Engine.Runtime.Files;
using Dti.Server.Libraries;
using Dti.Server.Tests.Infrastructure;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Tests.Attacks;

/// <summary>Pipes, devices and locks on disk hold nobody up, and what is private is the owner's alone.</summary>
public sealed class SpecialFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-special-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task PipeAndDevice_AmongModels_ArePassedOver()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "mkfifo");
        Pipe(Path.Combine(_folder.FullName, "pipe.safetensors"));
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, "zero.safetensors"), "/dev/zero");
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "model"));
        Pipe(Path.Combine(_folder.FullName, "model", "model_index.json"));
        await using var server = TestServer.Start(options =>
            options with
            {
                ModelFolders = [.. options.ModelFolders, _folder.FullName],
            }
        );

        var models = await server.Models.ListAsync(new(), deadline: DateTime.UtcNow.AddSeconds(30));

        Assert.Equal(["tiny-sd15"], models.Models.Select(model => model.Name));
        Assert.NotEmpty(await server.PictureAsync(TestServer.Draw("a dog")));
    }

    [Fact]
    public async Task PipeAndDevice_InTheLibrary_ArePassedOver()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "mkfifo");
        await using var server = TestServer.Start();
        Pipe(Path.Combine(server.Options.ConceptFolder, "pipe.json"));
        File.CreateSymbolicLink(Path.Combine(server.Options.ConceptFolder, "zero.json"), "/dev/zero");
        Pipe(Path.Combine(server.Options.ConceptFolder, "cat.png"));

        Assert.Empty((await server.Concepts.ListAsync(new(), deadline: DateTime.UtcNow.AddSeconds(30))).Concepts);
        await server.Concepts.ImportAsync(RaceTests.Import("dog"), deadline: DateTime.UtcNow.AddSeconds(30));
        Assert.Equal("dog", Assert.Single((await server.Concepts.ListAsync(new())).Concepts).Name);
    }

    [Fact]
    public void ReadAllBytes_LongerThanItsBound_IsRefusedWhateverItsLengthSays()
    {
        var file = Path.Combine(_folder.FullName, "file");
        File.WriteAllBytes(file, new byte[100]);
        Assert.Equal(100, RegularFile.ReadAllBytes(file, 100).Length);
        Assert.Throws<IOException>(() => RegularFile.ReadAllBytes(file, 99));
        Assert.Throws<FileNotFoundException>(() => RegularFile.ReadAllBytes(file + "s", 99));
    }

    [Fact]
    public async Task Lock_HeldByAnotherProcess_KeepsNoReaderWaiting()
    {
        await using var server = TestServer.Start();
        await server.Concepts.ImportAsync(RaceTests.Import("cat"), cancellationToken: Cancellation);
        var library = server.Services.GetRequiredService<ConceptLibrary>();
        var journal = new FolderJournal(server.Options.ConceptFolder);
        Task<StatusCode> change;
        using (journal.Begin()) // the other process
        {
            change = RaceTests.CodeOf(() => server.Concepts.ImportAsync(RaceTests.Import("dog")).ResponseAsync);
            for (var i = 0; i < 5; i++)
            {
                Assert.Equal(
                    "cat",
                    Assert
                        .Single(
                            (await server.Concepts.ListAsync(new(), deadline: DateTime.UtcNow.AddSeconds(20))).Concepts
                        )
                        .Name
                );
                await Task.Delay(20, Cancellation);
            }

            Assert.False(change.IsCompleted);
        }

        Assert.Equal(StatusCode.OK, await change);
        Assert.Equal(2, library.List().Count);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task LocksAndDrafts_AreTheOwnersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "modes of files");
        // as an earlier version made them
        var area = Directory.CreateDirectory(Path.Combine(_folder.FullName, ".change"));
        await File.WriteAllTextAsync(Path.Combine(area.FullName, "lock"), "", Cancellation);
        File.SetUnixFileMode(
            area.FullName,
            UnixFileMode.UserRead
                | UnixFileMode.UserWrite
                | UnixFileMode.UserExecute
                | UnixFileMode.OtherRead
                | UnixFileMode.OtherExecute
        );
        await using var server = TestServer.Start(options => options with { ConceptFolder = _folder.FullName });
        await server.Concepts.ImportAsync(RaceTests.Import("cat"), cancellationToken: Cancellation);
        await server.Concepts.ImportAsync(RaceTests.Import("cat", overwrite: true), cancellationToken: Cancellation);

        foreach (
            var path in new[] { ".change", ".change/lock", ".runs", "earlier/cat" }.Select(path =>
                Path.Combine(_folder.FullName, path)
            )
        )
        {
            Assert.True((File.GetUnixFileMode(path) & (UnixFileMode)0x3F) == 0, $"others may touch {path}");
        }
    }

    private static void Pipe(string path)
    {
        using var made = Process.Start("mkfifo", [path]);
        made.WaitForExit();
    }
}
