using System.Diagnostics;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Text.RegularExpressions;
using Dti.Tests;

namespace Dti.ClientSdk.Tests;

/// <summary>The packages that <c>dotnet pack</c> makes of the SDK and the engine.</summary>
public sealed partial class PackageTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-package-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Pack_Sdk_HoldsBothFrameworksAndDependsOnGrpcAndSkiaAlone()
    {
        using var package = await PackAsync("Dti.ClientSdk");

        var files = Files(package);
        Assert.All(new[] { "netstandard2.1", "net10.0" }, framework =>
        {
            Assert.Contains($"lib/{framework}/Dti.ClientSdk.dll", files);
            Assert.Contains($"lib/{framework}/Dti.ClientSdk.xml", files);
        });
        var specification = await SpecificationAsync(package, "Dti.ClientSdk");
        Assert.Equal(
            ["Google.Protobuf", "Grpc.Net.Client", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies"],
            Dependency().Matches(specification).Select(match => match.Groups[1].Value).Distinct().Order()
        );
        AssertPresented(files, specification);
        await AssertPathsAsync(package, "lib/net10.0/Dti.ClientSdk.dll");
        await AssertPathsAsync(package, "lib/netstandard2.1/Dti.ClientSdk.dll");
        AssertSymbols("lib/net10.0/Dti.ClientSdk.pdb", "lib/netstandard2.1/Dti.ClientSdk.pdb");
    }

    [Fact]
    public async Task Pack_Engine_BringsTheTorchSharpPatchAlong()
    {
        using var package = await PackAsync("Dti.Engine");

        var files = Files(package);
        Assert.Contains("lib/net10.0/Dti.Engine.dll", files);
        Assert.Contains("buildTransitive/Dti.Engine.targets", files);
        Assert.Contains("buildTransitive/PatchTorchSharp.cs", files);
        var specification = await SpecificationAsync(package, "Dti.Engine");
        Assert.Contains("TorchSharp-cpu", Dependency().Matches(specification).Select(match => match.Groups[1].Value));
        AssertPresented(files, specification);
        await AssertPathsAsync(package, "lib/net10.0/Dti.Engine.dll");
        AssertSymbols("lib/net10.0/Dti.Engine.pdb");
    }

    private static List<string> Files(ZipArchive package) =>
        [.. package.Entries.Where(entry => entry.Length > 0).Select(entry => entry.FullName)];

    private static async Task<string> SpecificationAsync(ZipArchive package, string name)
    {
        using var reader = new StreamReader(package.GetEntry($"{name}.nuspec")!.Open());
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>What a gallery shows: README, icon, licence, and the commit.</summary>
    private static void AssertPresented(List<string> files, string specification)
    {
        Assert.Contains("README.md", files);
        Assert.Contains("icon.png", files);
        Assert.Contains("<readme>README.md</readme>", specification, StringComparison.Ordinal);
        Assert.Contains("<icon>icon.png</icon>", specification, StringComparison.Ordinal);
        Assert.Contains("<license type=\"expression\">MIT</license>", specification, StringComparison.Ordinal);
        // an unpacked archive of the sources knows no commit
        if (Path.Exists(Path.Combine(Fixtures.Repository, ".git")))
            Assert.Matches("<repository type=\"git\".* commit=\"[0-9a-f]{40}\"", specification);
    }

    /// <summary>The assembly names the sources relative to the repository, and no folder of the machine.</summary>
    private static async Task AssertPathsAsync(ZipArchive package, string file)
    {
        using var content = new MemoryStream();
        await using (var entry = await package.GetEntry(file)!.OpenAsync(TestContext.Current.CancellationToken))
            await entry.CopyToAsync(content, TestContext.Current.CancellationToken);
        var text = Encoding.Latin1.GetString(content.ToArray());
        Assert.DoesNotContain(Fixtures.Repository, text, StringComparison.Ordinal);
        Assert.Contains("/_/artifacts/obj/", text, StringComparison.Ordinal); // of its symbols
    }

    /// <summary>The symbol package has these files, whose documents are relative to the repository.</summary>
    private void AssertSymbols(params string[] files)
    {
        using var symbols = ZipFile.OpenRead(Assert.Single(_folder.GetFiles("*.snupkg")).FullName);
        Assert.All(files, file =>
        {
            using var content = new MemoryStream();
            using (var entry = symbols.GetEntry(file)!.Open())
                entry.CopyTo(content);
            content.Position = 0;
            using var provider = MetadataReaderProvider.FromPortablePdbStream(content);
            var reader = provider.GetMetadataReader();
            Assert.NotEmpty(reader.Documents);
            Assert.All(reader.Documents, document =>
                Assert.StartsWith(
                    "/_/",
                    reader.GetString(reader.GetDocument(document).Name).Replace('\\', '/'),
                    StringComparison.Ordinal
                )
            );
        });
    }

    private async Task<ZipArchive> PackAsync(string project)
    {
        string[] arguments =
        [
            "pack",
            Path.Combine(Fixtures.Repository, "src", project),
            "-c",
            "Release",
            "--no-build", // the tests are built together with it
            "-o",
            _folder.FullName,
            "-v",
            "q",
            "--nologo",
        ];
        using var pack = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(110));
        var output = "";
        try
        {
            output = await pack.StandardOutput.ReadToEndAsync(limit.Token);
            await pack.WaitForExitAsync(limit.Token);
        }
        finally
        {
            if (!pack.HasExited)
                pack.Kill(entireProcessTree: true);
        }

        Assert.True(pack.ExitCode == 0, output);
        return await ZipFile.OpenReadAsync(
            Assert.Single(_folder.GetFiles("*.nupkg")).FullName,
            TestContext.Current.CancellationToken
        );
    }

    [GeneratedRegex("<dependency id=\"([^\"]*)\"")]
    private static partial Regex Dependency();
}
