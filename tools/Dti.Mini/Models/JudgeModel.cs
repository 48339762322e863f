using Dti.Engine.Evaluation;
using Dti.Engine.Models;
using Dti.Engine.Weights;
using Dti.Mini.World;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>
/// What the judge reads in a batch of pictures; all logits but <see cref="Boxes"/> and <see cref="Embedding"/>.
/// </summary>
/// <param name="Presence">(B, shapes)</param>
/// <param name="Cells">(B, shapes, 256), how much each cell of a 16 × 16 grid looks like the shape; the highest is its
/// presence.</param>
/// <param name="Colour">(B, shapes, colours), if the shape is there.</param>
/// <param name="Pattern">(B, shapes, patterns)</param>
/// <param name="Boxes">(B, shapes, 3): x, foot and extent in the picture.</param>
/// <param name="Place">(B, places)</param>
/// <param name="Style">(B, styles)</param>
/// <param name="Queries">(B, shapes, 128), for <see cref="JudgeModel.Relation"/>.</param>
/// <param name="Embedding">(B, 128) fp32 of length 1, comparable with texts and with other pictures.</param>
internal sealed record Reading(
    Tensor Presence,
    Tensor Cells,
    Tensor Colour,
    Tensor Pattern,
    Tensor Boxes,
    Tensor Place,
    Tensor Style,
    Tensor Queries,
    Tensor Embedding
);

/// <summary>
/// An image–text encoder for judging only, with heads that read the attributes of a scene: each shape is looked for in
/// the cells of a grid, and what is where it was found says how it looks and where it stands. It shares no weight with
/// the generator.
/// </summary>
internal sealed class JudgeModel
{
    /// <summary>Cells along each side of the grid.</summary>
    public const int Grid = 16;

    private const long Width = MiniJudge.Width;
    private readonly MiniImageEncoder _image;
    private readonly Conv2d _join;
    private readonly Tensor _cellEmbedding; // (256, 128)
    private readonly Tensor _shapeEmbedding; // (shapes, 128)
    private readonly LayerNorm _cellNorm;
    private readonly Linear _cell;
    private readonly Linear _value;
    private readonly LayerNorm _norm;
    private readonly Linear _hidden1;
    private readonly Linear _hidden2;
    private readonly Linear _colour;
    private readonly Linear _pattern;
    private readonly Linear _box;
    private readonly Linear _scene;
    private readonly Linear _pair1;
    private readonly Linear _pair2;
    private readonly ClipTextModel _text;
    private readonly Linear _imageProjection;
    private readonly Linear _textProjection;
    private readonly Tensor _logitScale;

    /// <param name="vocabulary">Tokens.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="designs">Whether it finds families of designs; the judge of the world without them does not.</param>
    public JudgeModel(int vocabulary, WeightScope weights, bool designs = false)
    {
        var kinds = designs ? ObjectTargets.Kinds : ShapeCatalogue.All.Count;
        _image = new MiniImageEncoder(weights.Sub("visual"), patches: true);
        _join = new Conv2d(
            weights.Sub("join"),
            MiniImageEncoder.FineChannels + MiniImageEncoder.CoarseChannels,
            Width,
            1
        );
        _cellEmbedding = weights.Take("cell_embedding", Grid * Grid, Width);
        _shapeEmbedding = weights.Take("shape_embedding", kinds, Width);
        _cellNorm = new LayerNorm(weights.Sub("cell_norm"), Width);
        _cell = new Linear(weights.Sub("cell"), Width, kinds);
        _value = new Linear(weights.Sub("value"), Width, Width);
        _norm = new LayerNorm(weights.Sub("norm"), Width);
        _hidden1 = new Linear(weights.Sub("hidden1"), Width, 2 * Width);
        _hidden2 = new Linear(weights.Sub("hidden2"), 2 * Width, Width);
        _colour = new Linear(weights.Sub("colour"), Width, ObjectColour.All.Count);
        _pattern = new Linear(weights.Sub("pattern"), Width, Enum.GetValues<Pattern>().Length);
        _box = new Linear(weights.Sub("box"), Width, 3);
        _scene = new Linear(
            weights.Sub("scene"),
            MiniImageEncoder.CoarseChannels,
            Enum.GetValues<Place>().Length + Enum.GetValues<Style>().Length
        );
        _pair1 = new Linear(weights.Sub("pair1"), 2 * Width, Width);
        _pair2 = new Linear(weights.Sub("pair2"), Width, Enum.GetValues<Relation>().Length);
        _text = new ClipTextModel(MiniJudge.TextConfig(vocabulary), weights);
        _imageProjection = new Linear(
            weights.Sub("visual_projection"),
            MiniImageEncoder.CoarseChannels * 4,
            Width,
            bias: false
        );
        _textProjection = new Linear(weights.Sub("text_projection"), Width, Width, bias: false);
        _logitScale = weights.Take("logit_scale", 1);
    }

    /// <summary>Reads pictures.</summary>
    /// <param name="image">(B, 3, 128, 128) in [−1, 1]</param>
    public Reading Read(Tensor image)
    {
        var (fine, coarse) = _image.Forward(image);
        var up = F.interpolate(coarse, [Grid, Grid], mode: InterpolationMode.Nearest);
        var cells = _cellNorm.Forward(
            _join.Forward(F.silu(cat([fine, up], 1))).flatten(2).transpose(1, 2) + _cellEmbedding
        ); // (B, 256, 128)
        var where = _cell.Forward(cells).transpose(1, 2); // (B, shapes, 256)
        var found = _shapeEmbedding + where.softmax(-1).matmul(_value.Forward(cells)); // (B, shapes, 128)
        found = found + _hidden2.Forward(F.silu(_hidden1.Forward(_norm.Forward(found))));
        var seen = F.silu(coarse);
        var scene = _scene.Forward(seen.mean([2, 3])).to(ScalarType.Float32);
        var places = Enum.GetValues<Place>().Length;
        return new Reading(
            Full(where).amax([-1]),
            Full(where),
            Full(_colour.Forward(found)),
            Full(_pattern.Forward(found)),
            Full(_box.Forward(found)),
            scene.narrow(1, 0, places),
            scene.narrow(1, places, scene.shape[1] - places),
            found,
            F.normalize(Full(_imageProjection.Forward(F.avg_pool2d(seen, [4, 4]).flatten(1))))
        );
    }

    /// <summary>How one object stands to another: (n, relations) logits.</summary>
    /// <param name="first">(n, 128), queries of the first objects.</param>
    /// <param name="second">(n, 128), of the second.</param>
    public Tensor Relation(Tensor first, Tensor second) =>
        Full(_pair2.Forward(F.silu(_pair1.Forward(cat([first, second], 1)))));

    /// <summary>(B, 128) fp32 of length 1.</summary>
    public Tensor EncodeText(Tensor inputIds) =>
        F.normalize(Full(_textProjection.Forward(_text.Forward(inputIds).PooledOutput)));

    /// <summary>What similarities are multiplied by in training.</summary>
    public Tensor LogitScale => (_logitScale.to(ScalarType.Float32) * 10).exp().clamp(max: 100);

    private static Tensor Full(Tensor x) => x.to(ScalarType.Float32);
}
