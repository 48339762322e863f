using System.Security.Cryptography;
using System.Text;
using Dti.Engine.Models;

namespace Dti.Server.Libraries;

/// <summary>
/// Tells models of the same name apart without reading them whole: a hash of the names and lengths of their files, of
/// small files, and of blocks that are spread evenly over large ones. Models that were trained differently differ in
/// nearly every block.
/// </summary>
internal static class ModelFingerprint
{
    private const int BlockBytes = 4096;
    private const int Blocks = 16;

    /// <summary>The fingerprint of a model folder or a single file: 16 hexadecimal digits.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static string Of(string path)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var isFile = File.Exists(path);
        foreach (var (file, name) in ModelMetadata.Files(path))
        {
            Append(hash, file, isFile ? "" : name); // a single file may be renamed
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static void Append(IncrementalHash hash, string path, string name)
    {
        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        hash.AppendData(Encoding.UTF8.GetBytes($"{name}\n{length}\n"));
        var step = Math.Max(BlockBytes, (length - BlockBytes) / (Blocks - 1));
        var block = new byte[BlockBytes];
        for (var (at, i) = (0L, 0); at < length && i < Blocks; at += step, i++)
        {
            hash.AppendData(block.AsSpan(0, RandomAccess.Read(file, block, at)));
        }
    }
}
