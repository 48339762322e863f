using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Generation;

/// <summary>Prompts to hidden states, with the concepts' vectors at their placeholders and the prompt's weights applied.</summary>
internal sealed class PromptEncoder
{
    private readonly StableDiffusionModel _model;
    private readonly PromptSyntax _syntax;
    private readonly int _clipSkip;
    private readonly PlaceholderTokens _placeholders;
    private readonly float[][] _rows;

    /// <exception cref="DtiException">A concept is of another width than the model.</exception>
    public PromptEncoder(StableDiffusionModel model, IReadOnlyList<ConceptEmbedding> concepts, PromptSyntax syntax = PromptSyntax.Plain, int clipSkip = 1)
    {
        (_model, _syntax, _clipSkip) = (model, syntax, clipSkip);
        _placeholders = new PlaceholderTokens(model.Tokenizer.VocabularySize);
        foreach (var concept in concepts)
        {
            model.Profile.EnsureFits(concept);
            _placeholders.Add(concept.Placeholder, concept.VectorCount);
        }

        _rows = [.. concepts.SelectMany(concept => Enumerable.Range(0, concept.VectorCount).Select(concept.Encoders[0].Embedding))];
    }

    /// <summary>What is cut off the prompt, as a warning; null when all of it is read.</summary>
    public GenerationWarning? CutWarning(string prompt)
    {
        var (tokens, _) = Tokenize(prompt);
        return tokens.CutText.Length == 0 ? null : new GenerationWarning(
            "PROMPT_TOO_LONG",
            $"The prompt has {tokens.TokenCount} tokens and the model reads {tokens.InputIds.Count}; this was cut: {tokens.CutText}");
    }

    /// <summary>
    /// (1, 77, d). Where a token has a weight w, its state is moved away from the state that the empty prompt has there: z₀ + w·(z − z₀)
    /// (ComfyUI's <c>encode_token_weights</c>).
    /// </summary>
    public Tensor Encode(string prompt)
    {
        using var scope = NewDisposeScope();
        var (tokens, weights) = Tokenize(prompt);
        var states = States(tokens);
        if (weights.All(weight => weight == 1))
        {
            return states.MoveToOuterDisposeScope();
        }

        var empty = States(_model.Tokenizer.Tokenize("")).to(ScalarType.Float32);
        var full = states.to(ScalarType.Float32);
        var weighted = full + ((full - empty) * (tensor(weights) - 1).view(1, -1, 1).to(states.device)); // exactly z where w is 1
        return weighted.to(states.dtype).MoveToOuterDisposeScope();
    }

    private Tensor States(TokenizedPrompt tokens)
    {
        var device = _model.Target.Device;
        var ids = tensor(tokens.InputIds.Select(id => (long)id).ToArray(), ScalarType.Int64).unsqueeze(0).to(device);
        var rows = _rows.Length == 0 ? null : tensor(_rows.SelectMany(row => row).ToArray(), [_rows.Length, _rows[0].Length]).to(device);
        return _model.TextEncoder.Forward(ids, rows, _clipSkip).LastHiddenState;
    }

    private (TokenizedPrompt Tokens, float[] Weights) Tokenize(string prompt)
    {
        var pieces = _syntax == PromptSyntax.Weighted ? WeightedPrompt.Parse(prompt) : [new PromptPiece(prompt, 1)];
        var tokens = _model.Tokenizer.Tokenize([.. pieces.Select(piece => _placeholders.Expand(piece.Text))], _placeholders, out var pieceOf);
        return (tokens, Array.ConvertAll(pieceOf, piece => piece < 0 ? 1 : (float)pieces[piece].Weight));
    }
}
