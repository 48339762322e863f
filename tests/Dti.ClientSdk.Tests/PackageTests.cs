using System.Diagnostics;
using System.IO.Compression;
using System.Text.RegularExpressions;
using Dti.Tests;

namespace Dti.ClientSdk.Tests;

/// <summary>The package that <c>dotnet pack</c> makes of the SDK.</summary>
public sealed partial class PackageTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-package-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Pack_Sdk_HoldsBothFrameworksAndDependsOnGrpcAndSkiaAlone()
    {
        using var package = await PackAsync();

        var files = package.Entries.Where(entry => entry.Length > 0).Select(entry => entry.FullName).ToList();
        Assert.All(new[] { "netstandard2.1", "net10.0" }, framework =>
        {
            Assert.Contains($"lib/{framework}/Dti.ClientSdk.dll", files);
            Assert.Contains($"lib/{framework}/Dti.ClientSdk.xml", files);
        });
        Assert.Contains("README.md", files);
        using var reader = new StreamReader(package.GetEntry("Dti.ClientSdk.nuspec")!.Open());
        var specification = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal(
            ["Google.Protobuf", "Grpc.Net.Client", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies"],
            Dependency().Matches(specification).Select(match => match.Groups[1].Value).Distinct().Order()
        );
        // an unpacked archive of the sources knows no commit
        if (Path.Exists(Path.Combine(Fixtures.Repository, ".git")))
            Assert.Matches("<repository type=\"git\".* commit=\"[0-9a-f]{40}\"", specification);
    }

    private async Task<ZipArchive> PackAsync()
    {
        string[] arguments =
        [
            "pack",
            Path.Combine(Fixtures.Repository, "src", "Dti.ClientSdk"),
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
