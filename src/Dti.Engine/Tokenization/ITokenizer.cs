namespace Dti.Engine.Tokenization;

/// <summary>Turns prompts into the ids of a text encoder. Thread-safe.</summary>
public interface ITokenizer
{
    /// <summary>Tokens of the vocabulary; ids are below it.</summary>
    int VocabularySize { get; }

    /// <summary>Ids that the model reads of a prompt.</summary>
    int ModelMaxLength { get; }

    /// <summary>The id at the end of text.</summary>
    int EosTokenId { get; }

    /// <summary>The ids of the text alone: no start, no end, no padding, no template.</summary>
    IReadOnlyList<int> Encode(string text);

    /// <summary>
    /// The ids of a prompt in pieces, each spelt for itself, with everything around them that the model wants.
    /// </summary>
    /// <param name="pieces">The texts.</param>
    /// <param name="placeholders">Concept tokens that they may hold; null: none.</param>
    /// <param name="pieceOf">For each state that the denoiser sees which piece it comes from; −1: none.</param>
    TokenizedPrompt Tokenize(IReadOnlyList<string> pieces, PlaceholderTokens? placeholders, out int[] pieceOf);

    /// <summary>
    /// The ids of a prompt of any length, as many times <see cref="ModelMaxLength"/> as it takes; a tokenizer that
    /// knows only one reading gives that.
    /// </summary>
    /// <param name="pieces">The texts.</param>
    /// <param name="placeholders">Concept tokens that they may hold; null: none.</param>
    /// <param name="maxChunks">The most chunks; what is beyond is cut.</param>
    IReadOnlyList<PromptChunk> TokenizeChunks(
        IReadOnlyList<string> pieces,
        PlaceholderTokens? placeholders,
        int maxChunks
    ) => [new PromptChunk(Tokenize(pieces, placeholders, out var pieceOf), pieceOf)];

    /// <summary>
    /// The tokenizer of the prompts that images are generated from, where the model's pipeline puts an instruction
    /// before them; else this one. Captions in training and negative prompts have no instruction.
    /// </summary>
    ITokenizer WithInstruction => this;

    /// <summary>What stands between the tokens of a concept of several vectors, in prompts that name it.</summary>
    string ConceptSeparator => " ";

    /// <summary>A token as people write it, without the vocabulary's marks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such id.</exception>
    string TextOf(int id);

    /// <summary>Whether a text is one token of the vocabulary.</summary>
    bool Knows(string token);

    /// <summary>A text as the tokenizer compares it with placeholders.</summary>
    string Normalized(string text);
}

/// <summary>As much of a prompt as a text encoder reads at once.</summary>
/// <param name="Tokens">
/// Start, text, end, padding; the count is the whole prompt's, and what was cut off it is told by the last chunk.
/// </param>
/// <param name="PieceOf">
/// For each state that the denoiser sees which piece of the prompt it comes from; −1: none.
/// </param>
public sealed record PromptChunk(TokenizedPrompt Tokens, int[] PieceOf);

/// <summary>What all tokenizers do alike.</summary>
public static class TokenizerExtensions
{
    /// <summary>The ids of a prompt as the model reads it.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="text">The prompt, of any length.</param>
    /// <param name="placeholders">Concept tokens that it may hold; null: none.</param>
    public static TokenizedPrompt Tokenize(
        this ITokenizer tokenizer,
        string text,
        PlaceholderTokens? placeholders = null
    )
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return tokenizer.Tokenize([text], placeholders, out _);
    }
}
