using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Text;
using Dti.Build;
using TorchSharp;

namespace Dti.Engine.Tests.Runtime;

public class TorchSharpPatchTests
{
    private static string BuiltLibrary => Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");

    [Fact]
    public void BuiltLibrary_OnThisMachine_LoadsAndComputes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the library is a Linux one");

        Assert.True(NativeLibrary.TryLoad(BuiltLibrary, out _));
        using var two = torch.ones(2).sum();
        Assert.Equal(2f, two.item<float>());
    }

    [Fact]
    public void Apply_UnpatchedPackageFile_PatchesTheCopyToWhatTheBuildMade()
    {
        var package = PackageFile("runtimes", "linux-x64", "native", "libLibTorchSharp.so");
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

    [Fact]
    public void LoadedAssembly_KeepsTheArgumentsOfEveryMethod()
    {
        const BindingFlags all =
            BindingFlags.DeclaredOnly
            | BindingFlags.Public
            | BindingFlags.NonPublic
            | BindingFlags.Instance
            | BindingFlags.Static;
        var optimised = typeof(torch)
            .Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(all).Concat<MethodBase>(type.GetConstructors(all)))
            .Where(method =>
                method.GetMethodBody() is not null
                && !method.MethodImplementationFlags.HasFlag(
                    MethodImplAttributes.NoOptimization | MethodImplAttributes.NoInlining
                )
            );

        Assert.Empty(optimised);
    }

    [Fact]
    public void Apply_PackageAssembly_ChangesTheFlagsAlone()
    {
        var package = PackageFile("lib", "net8.0", "TorchSharp.dll");
        Assert.SkipUnless(package is not null, "the package cache is elsewhere");

        var (before, after) = (File.ReadAllBytes(package!), File.ReadAllBytes(package!));
        Assert.True(TorchSharpPatch.Apply(after));
        Assert.False(TorchSharpPatch.Apply([.. after]));
        Assert.Equal(File.ReadAllBytes(typeof(torch).Assembly.Location), after);

        using var assembly = new PEReader(new MemoryStream(before));
        var metadata = assembly.GetMetadataReader();
        var first = assembly.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.MethodDef);
        for (var method = 0; method < metadata.GetTableRowCount(TableIndex.MethodDef); method++)
        {
            var flags = first + (method * metadata.GetTableRowSize(TableIndex.MethodDef)) + 4;
            before.AsSpan(flags, 2).CopyTo(after.AsSpan(flags));
        }

        Assert.Equal(before, after);
    }

    private static void AssertUntouched(byte[] file)
    {
        var copy = (byte[])file.Clone();
        Assert.False(LibTorchSharpPatch.Apply(copy));
        Assert.Equal(file, copy);
    }

    private static string? PackageFile(params string[] path)
    {
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var file = Path.Combine([cache, "torchsharp", "0.107.0", .. path]);
        return File.Exists(file) ? file : null;
    }
}
