using Dti.Engine.Models;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Training.Methods;

/// <summary>
/// Textual Inversion that starts from what the text encoder makes of the initial word, instead of from its token
/// embedding (Cross Initialization, arXiv 2312.15905; the reference implementation's token_cross_init).
/// </summary>
internal sealed class CrossInitialization : TextualInversion
{
    /// <summary>
    /// (n, d), the last hidden states of the phrase alone at its tokens' positions, final layer norm included,
    /// whichever layer the UNet sees.
    /// </summary>
    /// <inheritdoc/>
    public override Tensor Start(IDiffusionModel model, int encoder, string initializer, int count)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var tokenizer = model.Profile.Encoders[encoder].Tokenizer;
        var ids = tokenizer.Tokenize(initializer).InputIds.Select(id => (long)id).ToArray();
        var states = model.TextEncoders[encoder].LastHiddenState(tensor(ids, [1, ids.Length]).to(model.Target.Device))[
            0
        ]; // (77, d)
        // after the start of text
        var positions = Tokens(tokenizer.Encode(initializer).Count, count).Select(token => 1L + token).ToArray();
        return states.index_select(0, tensor(positions).to(states.device)).MoveToOuterDisposeScope();
    }
}
