using Dti.Engine.Models;
using Dti.Engine.Weights;
using Dti.Mini.Text;
using Dti.Mini.World;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>
/// A text encoder in training, with heads that read from its states what a caption says: each object from the last
/// token of its words, and the scene with its first two objects from the end of text.
/// </summary>
internal sealed class CaptionReader
{
    private readonly ObjectReadout _object;
    private readonly ObjectReadout[] _fromEnd;
    private readonly Linear _hidden;
    private readonly Linear _scene;
    private static readonly long[] _sizes =
    [
        Enum.GetValues<Place>().Length,
        Enum.GetValues<Style>().Length,
        Enum.GetValues<Lighting>().Length,
        Enum.GetValues<Relation>().Length + 1,
        3,
    ];

    public CaptionReader(ClipTextConfig config, WeightScope weights)
    {
        Text = new ClipTextModel(config, weights);
        Designs = new DesignEmbedder(config.HiddenSize, weights.Sub("designs"));
        _object = new ObjectReadout(config.HiddenSize, weights.Sub("object"));
        _fromEnd =
        [
            .. Enumerable.Range(0, 2).Select(i => new ObjectReadout(config.HiddenSize, weights.Sub("from_end").Sub(i))),
        ];
        _hidden = new Linear(weights.Sub("scene_hidden"), config.HiddenSize, 256);
        _scene = new Linear(weights.Sub("scene_read"), 256, _sizes.Sum());
    }

    public ClipTextModel Text { get; }

    public DesignEmbedder Designs { get; }

    /// <summary>How badly captions are read.</summary>
    /// <param name="captions">The captions.</param>
    /// <param name="scenes">What they say.</param>
    /// <param name="noise">Of the embeddings of designs; null: none.</param>
    public (Tensor Loss, Dictionary<string, double> Logs) Loss(
        DesignCaptions captions,
        IReadOnlyList<Scene> scenes,
        Generator? noise
    )
    {
        var rows = captions.Parameters is { } parameters
            ? Designs.Embed(parameters.to(Text.TokenEmbedding.dtype), noise)
            : null;
        var states = Text.Forward(captions.Ids, rows).LastHiddenState;
        var batch = arange(scenes.Count);
        var ends = states[batch, captions.Ends];

        var at = captions.Objects;
        var own = _object.Read(
            states[tensor(at.Select(o => (long)o.Caption).ToArray()), tensor(at.Select(o => (long)o.Token).ToArray())]
        );
        var targets = new ObjectTargets([.. at.Select(o => o.Object)]);
        var loss = ObjectReadout.Loss(own, targets);
        for (var i = 0; i < _fromEnd.Length; i++)
        {
            var with = scenes
                .Index()
                .Where(scene => scene.Item.Objects.Count > i)
                .Select(scene => (long)scene.Index)
                .ToArray();
            if (with.Length == 0)
            {
                continue;
            }

            loss =
                loss
                + (
                    0.2
                    * ObjectReadout.Loss(
                        _fromEnd[i].Read(ends[tensor(with)]),
                        new ObjectTargets([.. with.Select(s => scenes[(int)s].Objects[i])])
                    )
                );
        }

        var read = _scene.Forward(F.silu(_hidden.Forward(ends))).to(ScalarType.Float32).split(_sizes, 1);
        Tensor[] said =
        [
            Labels(scenes, scene => (int)scene.Place),
            Labels(scenes, scene => (int)scene.Style),
            Labels(scenes, scene => (int)scene.Lighting),
            Labels(scenes, scene => scene.Relation is { } relation ? (int)relation + 1 : 0),
            Labels(scenes, scene => scene.Objects.Count - 1),
        ];
        loss = read.Zip(said).Aggregate(loss, (sum, pair) => sum + (0.5 * F.cross_entropy(pair.First, pair.Second)));

        var (parts, colours) = ObjectReadout.Accuracy(own, targets);
        static double Right(Tensor logits, Tensor label) =>
            logits.argmax(1).eq(label).to(ScalarType.Float32).mean().item<float>();
        return (
            loss,
            new()
            {
                ["parts"] = parts,
                ["colours"] = colours,
                ["kind"] = Right(own.Kind, targets.Kind),
                ["place"] = Right(read[0], said[0]),
                ["relation"] = Right(read[3], said[3]),
            }
        );
    }

    private static Tensor Labels(IReadOnlyList<Scene> scenes, Func<Scene, int> label) =>
        tensor(scenes.Select(scene => (long)label(scene)).ToArray());
}
