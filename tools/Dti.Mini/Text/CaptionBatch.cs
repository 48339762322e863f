using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Mini.Text;

/// <summary>Captions as ids.</summary>
internal static class CaptionBatch
{
    /// <summary>(B, T) int64; T is the longest caption's length, at most 77.</summary>
    public static Tensor Ids(ClipTokenizer tokenizer, IEnumerable<string> captions)
    {
        TokenizedPrompt[] prompts = [.. captions.Select(caption => tokenizer.Tokenize(caption))];
        var length = Math.Min(77, prompts.Max(prompt => prompt.TokenCount));
        var ids = new long[prompts.Length * length];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = prompts[i / length].InputIds[i % length];
        }

        return tensor(ids, [prompts.Length, length]);
    }
}
