using System.Globalization;
using Dti.Engine.Checkpoints;
using TorchSharp;

namespace Dti.Engine.Concepts;

/// <summary>
/// The embeddings in a LoRA's bundle, without the LoRA: what is sent of a file that is larger than a request.
/// </summary>
public static class BundledEmbeddings
{
    /// <summary>Copies the tensors of the bundle into a file of their own.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="limit">Bytes that an embedding file may have, for the message.</param>
    /// <exception cref="DtiException">It cannot be read, or has no bundle: it is too large for an embedding
    /// file.</exception>
    public static byte[] Extract(string path, long limit)
    {
        using var file = SafetensorsFile.Open(path);
        string[] bundled =
        [
            .. file.Tensors.Keys.Where(name => name.StartsWith(EmbeddingKeys.BundlePrefix, StringComparison.Ordinal)),
        ];
        if (bundled.Length == 0)
        {
            var kind = TensorKinds.Of([.. file.Tensors.Keys]);
            throw new DtiException(
                ErrorKind.InvalidArgument,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{path} is not an embedding file: it has {new FileInfo(path).Length >> 20} MiB, and an embedding file has at most {limit >> 20}. "
                        + $"{(kind is null ? "Its tensors are those of a model or of another tool's file" : $"It is {kind}")}. A checkpoint is used with --models."
                )
            );
        }

        using var scope = torch.NewDisposeScope();
        using var copy = new MemoryStream();
        SafetensorsWriter.Write(copy, bundled.ToDictionary(name => name, file.Read));
        return copy.ToArray();
    }
}
