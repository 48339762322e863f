using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Generation;

/// <summary>
/// Prompts to what the denoiser is told of them, with the concepts' vectors at their placeholders and the prompt's
/// weights applied.
/// </summary>
internal sealed class PromptEncoder
{
    private readonly IDiffusionModel _model;
    private readonly PromptSyntax _syntax;
    private readonly int _clipSkip;
    private readonly LongPrompts _long;
    private readonly bool _instruct;
    private readonly PlaceholderTokens[] _placeholders; // one of each per text encoder
    private readonly float[][][] _rows;

    /// <summary>
    /// The most chunks that are read of a prompt; their keys are fewer than those of a small image's latents.
    /// </summary>
    public const int MaxChunks = 16;

    /// <exception cref="DtiException">A concept is of another width than the model.</exception>
    public PromptEncoder(
        IDiffusionModel model,
        IReadOnlyList<ConceptEmbedding> concepts,
        PromptSyntax syntax = PromptSyntax.Plain,
        int clipSkip = 1,
        LongPrompts longPrompts = LongPrompts.Cut,
        bool instruct = true
    )
    {
        (_model, _syntax, _clipSkip, _long, _instruct) = (model, syntax, clipSkip, longPrompts, instruct);
        var encoders = model.Profile.Encoders;
        _placeholders = [.. encoders.Select(encoder => encoder.NewPlaceholders())];
        foreach (var concept in concepts)
        {
            model.Profile.EnsureFits(concept);
            Array.ForEach(_placeholders, placeholders => placeholders.Add(concept.Placeholder, concept.VectorCount));
        }

        _rows =
        [
            .. encoders.Select(
                (_, i) =>
                    concepts
                        .SelectMany(concept =>
                            Enumerable.Range(0, concept.VectorCount).Select(concept.Encoders[i].Embedding)
                        )
                        .ToArray()
            ),
        ];
    }

    /// <summary>What is cut off the prompt, as a warning; null when all of it is read.</summary>
    public GenerationWarning? CutWarning(string prompt, bool isNegative = false)
    {
        var chunks = Tokenize(Pieces(prompt), encoder: 0, isNegative);
        var (tokens, length) = (chunks[^1].Tokens, chunks[^1].PieceOf.Length);
        var read = length + ((length - 2) * (chunks.Count - 1));
        return tokens.CutText.Length == 0
            ? null
            : new GenerationWarning(
                "PROMPT_TOO_LONG",
                $"The prompt has {tokens.TokenCount} tokens and the model reads {read}; this was cut: {tokens.CutText}"
            );
    }

    /// <summary>
    /// What has no effect in the prompt, as a warning; null: all of it has, or the prompt is read as it is.
    /// </summary>
    public GenerationWarning? SyntaxWarning(string prompt) =>
        _syntax == PromptSyntax.Weighted ? UnusedSyntax.Warning(prompt) : null;

    /// <summary>
    /// A batch of one. Where a token has a weight w, its state is moved away from the state that the empty prompt has
    /// there: z₀ + w·(z − z₀); the pooled text stays as it is (ComfyUI's <c>encode_token_weights</c>). The states of
    /// several chunks follow each other; the pooled text is that of the first. Where the empty prompt has no state, w
    /// multiplies.
    /// </summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="isNegative">Whether it says what to keep away from, so that no instruction goes before it.</param>
    public Conditioning Encode(string prompt, bool isNegative = false)
    {
        using var scope = NewDisposeScope();
        var pieces = Pieces(prompt);
        var tokens = _model.Profile.Encoders.Select((_, i) => Tokenize(pieces, i, isNegative)).ToArray();
        var count = tokens.Min(chunks => chunks.Count);
        Conditioning[] chunks =
        [
            .. Enumerable
                .Range(0, count)
                .Select(chunk => Encode([.. tokens.Select(encoder => encoder[chunk])], pieces, isNegative)),
        ];
        return (
            count == 1
                ? chunks[0]
                : chunks[0] with
                {
                    States = cat([.. chunks.Select(chunk => chunk.States)], 1),
                    Mask = chunks[0].Mask is null ? null : cat([.. chunks.Select(chunk => chunk.Mask!)], 1),
                }
        ).MoveToOuterDisposeScope();
    }

    /// <param name="tokens">A chunk for each text encoder.</param>
    /// <param name="pieces">The pieces of the prompt that they are from.</param>
    /// <param name="isNegative">Whether they are of a negative prompt.</param>
    private Conditioning Encode(PromptChunk[] tokens, IReadOnlyList<PromptPiece> pieces, bool isNegative)
    {
        var encoders = _model.Profile.Encoders;
        var conditioning = Condition(tokens.Select(token => token.Tokens));
        float[][] weights =
        [
            .. tokens.Select(token =>
                Array.ConvertAll(token.PieceOf, piece => piece < 0 ? 1 : (float)pieces[piece].Weight)
            ),
        ];
        if (weights.All(token => token.All(weight => weight == 1)))
        {
            return conditioning;
        }

        var states = conditioning.States;
        var empty = OfLength(
            Condition(encoders.Select((_, i) => Tokenizer(i, isNegative).Tokenize(""))).States.to(ScalarType.Float32),
            states.shape[1]
        );
        var factors = cat(
                [.. weights.Select((token, i) => tensor(token).view(1, -1, 1).expand(1, -1, encoders[i].Dimension))],
                -1
            )
            .narrow(1, 0, states.shape[1]);
        var full = states.to(ScalarType.Float32);
        var weighted = full + ((full - empty) * (factors.to(states.device) - 1)); // exactly z where w is 1
        return conditioning with { States = weighted.to(states.dtype) };
    }

    private Conditioning Condition(IEnumerable<TokenizedPrompt> tokens)
    {
        var device = _model.Target.Device;
        return _model.Condition(
            [
                .. tokens.Select(token =>
                    tensor(token.InputIds.Select(id => (long)id).ToArray(), ScalarType.Int64).unsqueeze(0).to(device)
                ),
            ],
            [
                .. _rows.Select(rows =>
                    rows.Length == 0
                        ? null
                        : tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]).to(device)
                ),
            ],
            _clipSkip
        );
    }

    private IReadOnlyList<PromptPiece> Pieces(string prompt) =>
        _syntax == PromptSyntax.Weighted ? WeightedPrompt.Parse(prompt) : [new PromptPiece(prompt, 1)];

    /// <summary>Cut, or filled up with zeros.</summary>
    /// <param name="states">(1, L, d)</param>
    /// <param name="length">L of the result.</param>
    private static Tensor OfLength(Tensor states, long length) =>
        states.shape[1] >= length
            ? states.narrow(1, 0, length)
            : cat([states, zeros([1, length - states.shape[1], states.shape[2]], device: states.device)], 1);

    private ITokenizer Tokenizer(int encoder, bool isNegative) =>
        _model.Profile.Encoders[encoder].Tokenizer is var plain && _instruct && !isNegative
            ? plain.WithInstruction
            : plain;

    private IReadOnlyList<PromptChunk> Tokenize(IReadOnlyList<PromptPiece> pieces, int encoder, bool isNegative)
    {
        var placeholders = _placeholders[encoder];
        var tokenizer = Tokenizer(encoder, isNegative);
        string[] texts = [.. pieces.Select(piece => placeholders.Expand(piece.Text))];
        return _long == LongPrompts.Chunks
            ? tokenizer.TokenizeChunks(texts, placeholders, MaxChunks)
            : [new PromptChunk(tokenizer.Tokenize(texts, placeholders, out var pieceOf), pieceOf)];
    }
}
