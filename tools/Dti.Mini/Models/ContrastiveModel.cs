using Dti.Engine.Evaluation;
using Dti.Engine.Models;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>A text encoder and an image encoder with one space for both, as CLIP (arXiv 2103.00020).</summary>
internal sealed class ContrastiveModel
{
    private const long Width = 128;
    private readonly MiniImageEncoder _image;
    private readonly Linear _imageProjection;
    private readonly Linear _textProjection;
    private readonly Tensor _logitScale;

    public ContrastiveModel(ClipTextConfig text, WeightScope weights)
    {
        Text = new ClipTextModel(text, weights);
        _textProjection = new Linear(weights.Sub("text_projection"), text.HiddenSize, Width, bias: false);
        _image = new MiniImageEncoder(weights.Sub("visual"));
        _imageProjection = new Linear(
            weights.Sub("visual_projection"),
            MiniImageEncoder.CoarseChannels * 16,
            Width,
            bias: false
        );
        _logitScale = weights.Take("logit_scale", 1);
    }

    public ClipTextModel Text { get; }

    /// <summary>(B, 128) fp32, of length 1.</summary>
    public Tensor EncodeImage(Tensor image)
    {
        // Half the size costs a quarter. The 4 × 4 grid is kept: where things are is part of what captions say.
        var coarse = F.silu(_image.Forward(F.avg_pool2d(image, [2, 2])).Coarse);
        return F.normalize(_imageProjection.Forward(coarse.flatten(1)).to(ScalarType.Float32));
    }

    /// <summary>(B, 128) fp32, of length 1.</summary>
    public Tensor EncodeText(Tensor inputIds) =>
        F.normalize(_textProjection.Forward(Text.Forward(inputIds).PooledOutput).to(ScalarType.Float32));

    /// <summary>Similarities times a learnt factor: (images, texts).</summary>
    public Tensor Logits(Tensor images, Tensor texts) =>
        Similarity(images, texts) * (_logitScale.to(ScalarType.Float32) * 10).exp().clamp(max: 100);

    /// <summary>Cosines: (images, texts).</summary>
    public static Tensor Similarity(Tensor images, Tensor texts) => images.matmul(texts.t());
}
