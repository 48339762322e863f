using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Generation;

/// <summary>Prompts to hidden states, with the concepts' vectors at their placeholders.</summary>
internal sealed class PromptEncoder
{
    private readonly StableDiffusionModel _model;
    private readonly PlaceholderTokens _placeholders;
    private readonly float[][] _rows;

    /// <exception cref="DtiException">A concept is of another width than the model.</exception>
    public PromptEncoder(StableDiffusionModel model, IReadOnlyList<ConceptEmbedding> concepts)
    {
        _model = model;
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
        var tokens = Tokenize(prompt);
        return tokens.CutText.Length == 0 ? null : new GenerationWarning(
            "PROMPT_TOO_LONG",
            $"The prompt has {tokens.TokenCount} tokens and the model reads {tokens.InputIds.Count}; this was cut: {tokens.CutText}");
    }

    /// <summary>(1, 77, d)</summary>
    public Tensor Encode(string prompt)
    {
        using var scope = NewDisposeScope();
        var device = _model.Target.Device;
        var ids = tensor(Tokenize(prompt).InputIds.Select(id => (long)id).ToArray(), ScalarType.Int64).unsqueeze(0).to(device);
        var rows = _rows.Length == 0 ? null : tensor(_rows.SelectMany(row => row).ToArray(), [_rows.Length, _rows[0].Length]).to(device);
        return _model.TextEncoder.Forward(ids, rows).LastHiddenState.MoveToOuterDisposeScope();
    }

    private TokenizedPrompt Tokenize(string prompt) => _model.Tokenizer.Tokenize(_placeholders.Expand(prompt), _placeholders);
}
