using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;

namespace Dti.Build;

/// <summary>
/// Rewrites the one import of TorchSharp's Linux library that Debian 12 and Ubuntu 22.04 cannot satisfy.
/// <c>libLibTorchSharp.so</c> is built with GCC 13 and imports <c>_ZSt21ios_base_library_initv@GLIBCXX_3.4.32</c>,
/// which only makes sure that iostreams are initialised. The copy imports <c>std::ios_base::Init::Init()</c> of
/// <c>GLIBCXX_3.4</c> instead, which every libstdc++ has, and the newer version becomes a weak requirement.
/// </summary>
public static class LibTorchSharpPatch
{
    private const string NewerSymbol = "_ZSt21ios_base_library_initv";
    private const string OlderSymbol = "_ZNSt8ios_base4InitC1Ev";
    private const string NewerVersion = "GLIBCXX_3.4.32";
    private const string OlderVersion = "GLIBCXX_3.4";
    private const ushort WeakFlag = 2; // VER_FLG_WEAK

    /// <summary>Patches <paramref name="elf"/> in place; returns false, with every byte as it was, where nothing needs patching.</summary>
    /// <exception cref="InvalidDataException">The symbol is there but the file is not laid out as expected.</exception>
    public static bool Apply(byte[] elf)
    {
        if (elf.Length < 64 || Encoding.ASCII.GetString(elf, 1, 3) != "ELF" || elf[4] != 2 || elf[5] != 1)
        {
            return false; // not a little-endian 64-bit ELF file
        }

        var sections = ReadSections(elf);
        if (!sections.TryGetValue(".dynstr", out var strings) || !sections.TryGetValue(".dynsym", out var symbols)
            || !sections.TryGetValue(".gnu.version", out var versions) || !sections.TryGetValue(".gnu.version_r", out var needed))
        {
            return false;
        }

        var symbol = FindSymbol(elf, symbols, strings);
        if (symbol < 0)
        {
            return false;
        }

        // Everything is located before anything is written.
        var (olderIndex, newerEntry) = FindVersions(elf, needed, strings);
        if (olderIndex == 0 || newerEntry == 0)
        {
            throw new InvalidDataException($"The library imports {NewerSymbol} but does not name {OlderVersion} and {NewerVersion}.");
        }

        var name = strings.Offset + (int)U32(elf, symbols.Offset + (24 * symbol));
        Array.Clear(elf, name, NewerSymbol.Length);
        Encoding.ASCII.GetBytes(OlderSymbol, 0, OlderSymbol.Length, elf, name);
        PutU16(elf, versions.Offset + (2 * symbol), olderIndex);
        PutU16(elf, newerEntry + 4, WeakFlag); // vna_flags
        return true;
    }

    private static int FindSymbol(byte[] elf, (int Offset, int Size) symbols, (int Offset, int Size) strings)
    {
        for (var i = 0; i < symbols.Size / 24; i++)
        {
            if (Text(elf, strings.Offset + (int)U32(elf, symbols.Offset + (24 * i))) == NewerSymbol)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Walks the Verneed list of libstdc++: the index in use for the older version, and where the newer one's entry is.</summary>
    private static (ushort OlderIndex, int NewerEntry) FindVersions(byte[] elf, (int Offset, int Size) needed, (int Offset, int Size) strings)
    {
        ushort olderIndex = 0;
        var newerEntry = 0;
        for (int file = needed.Offset, next = 1; next != 0; file += next)
        {
            next = (int)U32(elf, file + 12); // vn_next
            if (!Text(elf, strings.Offset + (int)U32(elf, file + 4)).StartsWith("libstdc++.so", StringComparison.Ordinal))
            {
                continue;
            }

            var entry = file + (int)U32(elf, file + 8); // vn_aux
            for (var left = U16(elf, file + 2); left > 0; left--) // vn_cnt
            {
                var version = Text(elf, strings.Offset + (int)U32(elf, entry + 8)); // vna_name
                if (version == OlderVersion)
                {
                    olderIndex = U16(elf, entry + 6); // vna_other
                }
                else if (version == NewerVersion)
                {
                    newerEntry = entry;
                }

                entry += (int)U32(elf, entry + 12); // vna_next
            }
        }

        return (olderIndex, newerEntry);
    }

    private static Dictionary<string, (int Offset, int Size)> ReadSections(byte[] elf)
    {
        var table = (int)U64(elf, 0x28);
        int entrySize = U16(elf, 0x3A), count = U16(elf, 0x3C), names = U16(elf, 0x3E);
        int Field(int section, int at) => (int)U64(elf, table + (section * entrySize) + at);

        var sections = new Dictionary<string, (int Offset, int Size)>();
        for (var i = 0; i < count; i++)
        {
            var name = Text(elf, Field(names, 24) + (int)U32(elf, table + (i * entrySize)));
            sections[name] = (Field(i, 24), Field(i, 32));
        }

        return sections;
    }

    private static string Text(byte[] elf, int at) => Encoding.ASCII.GetString(elf, at, Array.IndexOf(elf, (byte)0, at) - at);

    // Builds run on little-endian machines, so BitConverter reads what the file holds.
    private static ushort U16(byte[] elf, int at) => BitConverter.ToUInt16(elf, at);

    private static uint U32(byte[] elf, int at) => BitConverter.ToUInt32(elf, at);

    private static ulong U64(byte[] elf, int at) => BitConverter.ToUInt64(elf, at);

    private static void PutU16(byte[] elf, int at, ushort value) => BitConverter.GetBytes(value).CopyTo(elf, at);
}

/// <summary>Build task: replaces each library by a patched copy in <see cref="Folder"/>; those that need no patch stay as they are.</summary>
public sealed class PatchLibTorchSharp : Microsoft.Build.Utilities.Task
{
    /// <summary>The libraries, from the package cache, which is never written to.</summary>
    [Required]
    public ITaskItem[] Libraries { get; set; } = Array.Empty<ITaskItem>();

    /// <summary>Where patched copies go.</summary>
    [Required]
    public string Folder { get; set; } = "";

    /// <summary>The same items, pointing at patched copies where one was needed.</summary>
    [Output]
    public ITaskItem[] Result { get; set; } = Array.Empty<ITaskItem>();

    /// <inheritdoc/>
    public override bool Execute()
    {
        Result = Array.ConvertAll(Libraries, Patch);
        return !Log.HasLoggedErrors;
    }

    private ITaskItem Patch(ITaskItem library)
    {
        var source = library.GetMetadata("FullPath");
        var target = Path.GetFullPath(Path.Combine(Folder, Path.GetFileName(source)));
        if (!File.Exists(target) || File.GetLastWriteTimeUtc(target) != File.GetLastWriteTimeUtc(source))
        {
            var elf = File.ReadAllBytes(source);
            if (!LibTorchSharpPatch.Apply(elf))
            {
                return library;
            }

            Directory.CreateDirectory(Folder);
            var draft = target + "." + Guid.NewGuid().ToString("N");
            File.WriteAllBytes(draft, elf);
            File.SetLastWriteTimeUtc(draft, File.GetLastWriteTimeUtc(source));
            File.Delete(target);
            File.Move(draft, target);
        }

        var patched = new Microsoft.Build.Utilities.TaskItem(target);
        library.CopyMetadataTo(patched);
        return patched;
    }
}
