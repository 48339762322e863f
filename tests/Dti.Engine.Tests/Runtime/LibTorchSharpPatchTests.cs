using System.Runtime.InteropServices;
using System.Text;
using Dti.Build;

namespace Dti.Engine.Tests.Runtime;

public class LibTorchSharpPatchTests
{
    private static string BuiltLibrary => Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");

    [Fact]
    public void BuiltLibrary_OnThisMachine_LoadsAndComputes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the library is a Linux one");

        Assert.True(NativeLibrary.TryLoad(BuiltLibrary, out _));
        using var two = TorchSharp.torch.ones(2).sum();
        Assert.Equal(2f, two.item<float>());
    }

    [Fact]
    public void Apply_UnpatchedPackageFile_PatchesTheCopyToWhatTheBuildMade()
    {
        var package = PackageFile();
        Assert.SkipUnless(OperatingSystem.IsLinux() && package is not null, "the package cache is elsewhere");

        var copy = File.ReadAllBytes(package!);
        Assert.True(LibTorchSharpPatch.Apply(copy));
        Assert.Equal(File.ReadAllBytes(BuiltLibrary), copy);
        Assert.NotEqual(File.ReadAllBytes(package!), copy);
    }

    [Fact]
    public void Apply_AlreadyPatched_LeavesEveryByte()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the library is a Linux one");
        AssertUntouched(File.ReadAllBytes(BuiltLibrary));
    }

    [Fact]
    public void Apply_LibraryWithoutTheSymbol_LeavesEveryByte()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the library is a Linux one");
        AssertUntouched(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "libc10.so")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("MZ this is a Windows library")]
    public void Apply_NotAnElfFile_LeavesEveryByte(string content) => AssertUntouched(Encoding.ASCII.GetBytes(content));

    private static void AssertUntouched(byte[] file)
    {
        var copy = (byte[])file.Clone();
        Assert.False(LibTorchSharpPatch.Apply(copy));
        Assert.Equal(file, copy);
    }

    private static string? PackageFile()
    {
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var file = Path.Combine(cache, "torchsharp", "0.107.0", "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        return File.Exists(file) ? file : null;
    }
}
