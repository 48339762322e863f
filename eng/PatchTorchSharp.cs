using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
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

    /// <summary>
    /// Patches <paramref name="elf"/> in place; returns false, with every byte as it was, where nothing needs patching.
    /// </summary>
    /// <exception cref="InvalidDataException">The symbol is there but the file is not laid out as expected.</exception>
    public static bool Apply(byte[] elf)
    {
        if (elf.Length < 64 || Encoding.ASCII.GetString(elf, 1, 3) != "ELF" || elf[4] != 2 || elf[5] != 1)
        {
            return false; // not a little-endian 64-bit ELF file
        }

        var sections = ReadSections(elf);
        if (
            !sections.TryGetValue(".dynstr", out var strings)
            || !sections.TryGetValue(".dynsym", out var symbols)
            || !sections.TryGetValue(".gnu.version", out var versions)
            || !sections.TryGetValue(".gnu.version_r", out var needed)
        )
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
            throw new InvalidDataException(
                $"The library imports {NewerSymbol} but does not name {OlderVersion} and {NewerVersion}."
            );
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

    /// <summary>
    /// Walks the Verneed list of libstdc++: the index in use for the older version, and where the newer one's entry is.
    /// </summary>
    private static (ushort OlderIndex, int NewerEntry) FindVersions(
        byte[] elf,
        (int Offset, int Size) needed,
        (int Offset, int Size) strings
    )
    {
        ushort olderIndex = 0;
        var newerEntry = 0;
        for (int file = needed.Offset, next = 1; next != 0; file += next)
        {
            next = (int)U32(elf, file + 12); // vn_next
            if (
                !Text(elf, strings.Offset + (int)U32(elf, file + 4))
                    .StartsWith("libstdc++.so", StringComparison.Ordinal)
            )
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
        int entrySize = U16(elf, 0x3A),
            count = U16(elf, 0x3C),
            names = U16(elf, 0x3E);
        int Field(int section, int at) => (int)U64(elf, table + (section * entrySize) + at);

        var sections = new Dictionary<string, (int Offset, int Size)>();
        for (var i = 0; i < count; i++)
        {
            var name = Text(elf, Field(names, 24) + (int)U32(elf, table + (i * entrySize)));
            sections[name] = (Field(i, 24), Field(i, 32));
        }

        return sections;
    }

    private static string Text(byte[] elf, int at) =>
        Encoding.ASCII.GetString(elf, at, Array.IndexOf(elf, (byte)0, at) - at);

    // Builds run on little-endian machines, so BitConverter reads what the file holds.
    private static ushort U16(byte[] elf, int at) => BitConverter.ToUInt16(elf, at);

    private static uint U32(byte[] elf, int at) => BitConverter.ToUInt32(elf, at);

    private static ulong U64(byte[] elf, int at) => BitConverter.ToUInt64(elf, at);

    private static void PutU16(byte[] elf, int at, ushort value) => BitConverter.GetBytes(value).CopyTo(elf, at);
}

/// <summary>
/// Makes what TorchSharp hands to native code live until the call returns. TorchSharp passes <c>scalar.Handle</c> on
/// without keeping the managed <c>Scalar</c> alive, which has a finalizer: even <c>a + b</c> makes one, for the factor
/// 1, inside the library. Once the JIT has optimised the method, a collection by another thread may free it while
/// native code reads it. In the copy every method is marked <c>NoOptimization</c>, so that its arguments live as long
/// as it runs, and <c>NoInlining</c>. TorchSharp's methods hardly do more than to hand calls on, so that no step is
/// seen to take longer.
/// </summary>
public static class TorchSharpPatch
{
    private const ushort Kept = 0x0008 | 0x0040; // NoInlining, NoOptimization
    private const ushort Hurried = 0x0100 | 0x0200; // AggressiveInlining, AggressiveOptimization
    private const int Module = 0x00,
        TypeRef = 0x01,
        TypeDef = 0x02,
        Field = 0x04,
        MethodDef = 0x06,
        Param = 0x08,
        ModuleRef = 0x1A,
        TypeSpec = 0x1B,
        AssemblyRef = 0x23;

    /// <summary>
    /// Patches <paramref name="assembly"/> in place; returns false, with every byte as it was, where every method is
    /// marked already.
    /// </summary>
    /// <exception cref="InvalidDataException">This is no assembly with compressed metadata (ECMA-335,
    /// II.24).</exception>
    public static bool Apply(byte[] assembly)
    {
        var (first, count, size) = Methods(assembly);
        var changed = false;
        for (var row = first; row < first + (count * size); row += size)
        {
            var flags = BitConverter.ToUInt16(assembly, row + 4); // ImplFlags
            var kept = (ushort)((flags | Kept) & ~Hurried);
            if (BitConverter.ToUInt32(assembly, row) != 0 && flags != kept) // RVA: it has a body
            {
                BitConverter.GetBytes(kept).CopyTo(assembly, row + 4);
                changed = true;
            }
        }

        return changed;
    }

    /// <summary>Where the table of methods is (II.22.26): its offset, rows, and bytes in a row.</summary>
    private static (int First, int Count, int Size) Methods(byte[] assembly)
    {
        var tables = Tables(assembly);
        var rows = new int[64];
        var at = tables + 24;
        for (var table = 0; table < 64; table++)
        {
            if ((assembly[tables + 8 + (table / 8)] >> (table % 8) & 1) != 0)
            {
                rows[table] = BitConverter.ToInt32(assembly, at);
                at += 4;
            }
        }

        if (rows[0x03] + rows[0x05] != 0)
        {
            throw new InvalidDataException("The metadata has tables of pointers, which compressed metadata has not.");
        }

        var heaps = assembly[tables + 6];
        int text = (heaps & 1) != 0 ? 4 : 2,
            guid = (heaps & 2) != 0 ? 4 : 2,
            blob = (heaps & 4) != 0 ? 4 : 2;
        int Index(int bits, params int[] to) => to.Max(table => rows[table]) < 1 << (16 - bits) ? 2 : 4;

        at += rows[Module] * (2 + text + (3 * guid));
        at += rows[TypeRef] * (Index(2, Module, ModuleRef, AssemblyRef, TypeRef) + (2 * text));
        at +=
            rows[TypeDef]
            * (4 + (2 * text) + Index(2, TypeDef, TypeRef, TypeSpec) + Index(0, Field) + Index(0, MethodDef));
        at += rows[Field] * (2 + text + blob);
        return (at, rows[MethodDef], 8 + text + blob + Index(0, Param));
    }

    /// <summary>Where the stream of tables starts.</summary>
    private static int Tables(byte[] assembly)
    {
        var pe = BitConverter.ToInt32(assembly, 0x3C);
        var optional = pe + 24;
        var directories = optional + (BitConverter.ToUInt16(assembly, optional) == 0x20B ? 112 : 96);
        var sections = optional + BitConverter.ToUInt16(assembly, pe + 20);
        int Offset(int rva)
        {
            for (var section = sections; ; section += 40)
            {
                var start = BitConverter.ToInt32(assembly, section + 12);
                if (rva >= start && rva < start + BitConverter.ToInt32(assembly, section + 8))
                {
                    return rva - start + BitConverter.ToInt32(assembly, section + 20);
                }
            }
        }

        var root = Offset(
            BitConverter.ToInt32(assembly, Offset(BitConverter.ToInt32(assembly, directories + (14 * 8))) + 8)
        );
        var streams = root + 16 + BitConverter.ToInt32(assembly, root + 12);
        return Encoding.ASCII.GetString(assembly, streams + 12, 3) == "#~\0"
            ? root + BitConverter.ToInt32(assembly, streams + 4)
            : throw new InvalidDataException("The metadata does not begin with a stream of tables.");
    }
}

/// <summary>
/// Build task: replaces each library by a patched copy in <see cref="Folder"/>; those that need no patch stay as they
/// are.
/// </summary>
public sealed class PatchTorchSharp : Microsoft.Build.Utilities.Task
{
    /// <summary>TorchSharp.dll or libLibTorchSharp.so, from the package cache, which is never written to.</summary>
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
        // Later than the package's, or a build would leave an unpatched copy of the same size and time where it is.
        var time = File.GetLastWriteTimeUtc(source).AddMinutes(1);
        if (!File.Exists(target) || File.GetLastWriteTimeUtc(target) != time)
        {
            var bytes = File.ReadAllBytes(source);
            if (!(Path.GetExtension(source) == ".dll" ? TorchSharpPatch.Apply(bytes) : LibTorchSharpPatch.Apply(bytes)))
            {
                return library;
            }

            Directory.CreateDirectory(Folder);
            var draft = target + "." + Guid.NewGuid().ToString("N");
            File.WriteAllBytes(draft, bytes);
            File.SetLastWriteTimeUtc(draft, time);
            File.Delete(target);
            File.Move(draft, target);
        }

        var patched = new Microsoft.Build.Utilities.TaskItem(target);
        library.CopyMetadataTo(patched);
        return patched;
    }
}
