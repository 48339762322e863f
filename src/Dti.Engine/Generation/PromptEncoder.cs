using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Generation;

/// <summary>Prompts to what the denoiser is told of them, with the concepts' vectors at their placeholders and the prompt's weights applied.</summary>
internal sealed class PromptEncoder
{
    private readonly IDiffusionModel _model;
    private readonly PromptSyntax _syntax;
    private readonly int _clipSkip;
    private readonly PlaceholderTokens[] _placeholders; // one of each per text encoder
    private readonly float[][][] _rows;

    /// <exception cref="DtiException">A concept is of another width than the model.</exception>
    public PromptEncoder(IDiffusionModel model, IReadOnlyList<ConceptEmbedding> concepts, PromptSyntax syntax = PromptSyntax.Plain, int clipSkip = 1)
    {
        (_model, _syntax, _clipSkip) = (model, syntax, clipSkip);
        var encoders = model.Profile.Encoders;
        _placeholders = [.. encoders.Select(encoder => encoder.NewPlaceholders())];
        foreach (var concept in concepts)
        {
            model.Profile.EnsureFits(concept);
            Array.ForEach(_placeholders, placeholders => placeholders.Add(concept.Placeholder, concept.VectorCount));
        }

        _rows = [.. encoders.Select((_, i) => concepts.SelectMany(concept => Enumerable.Range(0, concept.VectorCount).Select(concept.Encoders[i].Embedding)).ToArray())];
    }

    /// <summary>What is cut off the prompt, as a warning; null when all of it is read.</summary>
    public GenerationWarning? CutWarning(string prompt)
    {
        var (tokens, _) = Tokenize(prompt, encoder: 0);
        return tokens.CutText.Length == 0 ? null : new GenerationWarning(
            "PROMPT_TOO_LONG",
            $"The prompt has {tokens.TokenCount} tokens and the model reads {tokens.InputIds.Count}; this was cut: {tokens.CutText}");
    }

    /// <summary>
    /// A batch of one. Where a token has a weight w, its state is moved away from the state that the empty prompt has there: z₀ + w·(z − z₀);
    /// the pooled text stays as it is (ComfyUI's <c>encode_token_weights</c>).
    /// </summary>
    public Conditioning Encode(string prompt)
    {
        using var scope = NewDisposeScope();
        var encoders = _model.Profile.Encoders;
        var tokens = encoders.Select((_, i) => Tokenize(prompt, i)).ToArray();
        var conditioning = Condition(tokens.Select(token => token.Tokens));
        if (tokens.All(token => token.Weights.All(weight => weight == 1)))
        {
            return conditioning.MoveToOuterDisposeScope();
        }

        var states = conditioning.States;
        var empty = Condition(encoders.Select(encoder => encoder.Tokenizer.Tokenize(""))).States.to(ScalarType.Float32);
        var weights = cat([.. tokens.Select((token, i) => tensor(token.Weights).view(1, -1, 1).expand(1, -1, encoders[i].Dimension))], -1).to(states.device);
        var full = states.to(ScalarType.Float32);
        var weighted = full + ((full - empty) * (weights - 1)); // exactly z where w is 1
        return (conditioning with { States = weighted.to(states.dtype) }).MoveToOuterDisposeScope();
    }

    private Conditioning Condition(IEnumerable<TokenizedPrompt> tokens)
    {
        var device = _model.Target.Device;
        return _model.Condition(
            [.. tokens.Select(token => tensor(token.InputIds.Select(id => (long)id).ToArray(), ScalarType.Int64).unsqueeze(0).to(device))],
            [.. _rows.Select(rows => rows.Length == 0 ? null : tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]).to(device))],
            _clipSkip);
    }

    private (TokenizedPrompt Tokens, float[] Weights) Tokenize(string prompt, int encoder)
    {
        var pieces = _syntax == PromptSyntax.Weighted ? WeightedPrompt.Parse(prompt) : [new PromptPiece(prompt, 1)];
        var placeholders = _placeholders[encoder];
        var tokens = _model.Profile.Encoders[encoder].Tokenizer.Tokenize([.. pieces.Select(piece => placeholders.Expand(piece.Text))], placeholders, out var pieceOf);
        return (tokens, Array.ConvertAll(pieceOf, piece => piece < 0 ? 1 : (float)pieces[piece].Weight));
    }
}
