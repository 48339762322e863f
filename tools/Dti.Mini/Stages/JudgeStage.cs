using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Text;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Stages;

/// <summary>
/// The judge: attributes of scenes and their captions, with a seed of its own. Nothing of it reaches the generator.
/// </summary>
internal static class JudgeStage
{
    private const int Batch = 48; // per replica
    private const float Blurred = 0.4f; // share of the pictures that lose half of their resolution

    /// <param name="folder">The work folder.</param>
    /// <param name="threads">Replicas.</param>
    /// <param name="steps">Steps of this leg.</param>
    /// <param name="leg">1: from fresh weights; 2, …: from those of the last leg, with other images.</param>
    public static void Run(string folder, int threads, int steps, int leg)
    {
        using var pictures = PictureStore.Open(folder, MiniWorld.TrainSeed, MiniWorld.Pictures);
        using var heldOut = PictureStore.Open(folder, MiniWorld.HeldOutSeed, 500);
        var tokenizer = ClipTokenizer.Load(MiniWorld.TokenizerFolder);
        var weights = new FreshWeights(3_000_000, seed: 7, StartOf);
        var loop = new TrainingLoop<JudgeModel>(
            folder,
            leg == 1 ? "judge" : $"judge-{leg}",
            new LoopSettings(steps, 1.5e-3, 200, 0.05, 0.998),
            weights,
            () => new JudgeModel(tokenizer.VocabularySize, new WeightScope(weights), designs: true),
            threads,
            start: leg == 1 ? null : fresh => fresh.Read(MiniWorld.JudgeFile)
        );
        loop.Run(
            (model, step, replica) =>
            {
                var dice = Dice.OfStep(70 + (ulong)leg, step, replica);
                var indices = dice.Indices(Batch, pictures.Count);
                var scenes = indices.Select(index => Scene.Sample(MiniWorld.TrainSeed, index)).ToArray();
                var reading = model.Read(Blur(pictures.Read(indices), dice));
                var (loss, logs) = Attributes(model, reading, new Labels(scenes));
                var texts = model.EncodeText(
                    CaptionBatch.Ids(
                        tokenizer,
                        scenes.Select(scene => Captions.Say(DesignCaptions.WithFamilies(scene), dice))
                    )
                );
                var logits = reading.Embedding.matmul(texts.t()) * model.LogitScale;
                var own = arange(Batch);
                var contrast = 0.5 * (F.cross_entropy(logits, own) + F.cross_entropy(logits.t(), own));
                logs["contrast"] = contrast.item<float>();
                return (loss + (0.3 * contrast), logs);
            },
            250,
            model =>
                Accuracy(
                    model,
                    heldOut,
                    [.. Enumerable.Range(0, 500).Select(i => Scene.Sample(MiniWorld.HeldOutSeed, i))]
                )
        );
        ModelExport.Judge(loop.Averaged, MiniWorld.JudgeFile);
    }

    /// <summary>
    /// Some pictures at half their resolution, so that the judge does not read styles and patterns by single pixels,
    /// which generated pictures lack.
    /// </summary>
    public static Tensor Blur(Tensor pictures, Dice dice)
    {
        var soft = F.interpolate(
            F.avg_pool2d(pictures, 2),
            [SceneRenderer.Side, SceneRenderer.Side],
            mode: InterpolationMode.Bilinear,
            align_corners: false
        );
        var blurred = tensor(Enumerable.Range(0, (int)pictures.shape[0]).Select(_ => dice.Chance(Blurred)).ToArray());
        return where(blurred.view(-1, 1, 1, 1), soft, pictures);
    }

    /// <summary>How often the judge reads rendered images right.</summary>
    public static Dictionary<string, double> Accuracy(JudgeModel model, PictureStore pictures, Scene[] scenes) =>
        Accuracy(model, (first, count) => pictures.Read([.. Enumerable.Range(first, count)]), scenes);

    /// <summary>How often the judge finds in pictures what their scenes ask for.</summary>
    /// <param name="model">The judge.</param>
    /// <param name="pictures">Pictures of scenes, (count, 3, 128, 128) bf16, by first index and count.</param>
    /// <param name="scenes">The scenes.</param>
    public static Dictionary<string, double> Accuracy(JudgeModel model, Func<int, int, Tensor> pictures, Scene[] scenes)
    {
        var right = new Dictionary<string, (double Right, int Of)>();
        void Add(string what, Tensor hits)
        {
            var (sum, of) = right.GetValueOrDefault(what);
            right[what] = (sum + hits.to(ScalarType.Float32).sum().item<float>(), of + (int)hits.numel());
        }

        for (var first = 0; first < scenes.Length; first += 100)
        {
            using var scope = NewDisposeScope();
            var labels = new Labels(scenes[first..Math.Min(scenes.Length, first + 100)]);
            var reading = model.Read(pictures(first, labels.Count));
            Add("shape", reading.Presence[labels.Picture, labels.Shape].gt(0));
            Add("no_other", reading.Presence.gt(0).eq(labels.Presence.narrow(1, 0, reading.Presence.shape[1]).gt(0.5)));
            var plain = labels.Plain;
            Add("colour", reading.Colour[labels.Picture, labels.Shape][plain].argmax(1).eq(labels.Colour[plain]));
            Add("pattern", reading.Pattern[labels.Picture, labels.Shape].argmax(1).eq(labels.Pattern));
            Add("place", reading.Place.argmax(1).eq(labels.Place));
            Add("style", reading.Style.argmax(1).eq(labels.Style));
            Add(
                "relation",
                model
                    .Relation(reading.Queries[labels.Pair, labels.First], reading.Queries[labels.Pair, labels.Second])
                    .argmax(1)
                    .eq(labels.Relation)
            );
        }

        return right.ToDictionary(entry => entry.Key, entry => entry.Value.Right / entry.Value.Of);
    }

    private static (Tensor Loss, Dictionary<string, double> Logs) Attributes(
        JudgeModel model,
        Reading reading,
        Labels labels
    )
    {
        var presence =
            F.binary_cross_entropy_with_logits(reading.Presence, labels.Presence, pos_weights: tensor(4f)) * 4;
        var where = F.cross_entropy(reading.Cells[labels.Picture, labels.Shape], labels.Cell);
        var colour = F.cross_entropy(
            reading.Colour[labels.Picture, labels.Shape][labels.Plain],
            labels.Colour[labels.Plain]
        );
        var pattern = F.cross_entropy(reading.Pattern[labels.Picture, labels.Shape], labels.Pattern);
        var box = F.l1_loss(reading.Boxes[labels.Picture, labels.Shape], labels.Box);
        var place = F.cross_entropy(reading.Place, labels.Place);
        var style = F.cross_entropy(reading.Style, labels.Style);
        var relation = F.cross_entropy(
            model.Relation(reading.Queries[labels.Pair, labels.First], reading.Queries[labels.Pair, labels.Second]),
            labels.Relation
        );
        var logs = new Dictionary<string, double>
        {
            ["presence"] = presence.item<float>(),
            ["where"] = where.item<float>(),
            ["colour"] = colour.item<float>(),
            ["pattern"] = pattern.item<float>(),
            ["place"] = place.item<float>(),
            ["style"] = style.item<float>(),
            ["relation"] = relation.item<float>(),
        };
        return (presence + (0.5 * where) + colour + pattern + box + (0.5 * place) + (0.5 * style) + relation, logs);
    }

    public static Start StartOf(string name, long[] shape) =>
        name.EndsWith("bias", StringComparison.Ordinal) ? Start.Zero
        : name.Contains("embedding", StringComparison.Ordinal) ? Start.Embedding
        : name == "logit_scale" ? Start.LogitScale
        : shape.Length == 1 ? Start.One
        : Start.FanIn;

    /// <summary>What a batch of scenes holds, as tensors; one row per object, or per pair.</summary>
    private sealed class Labels
    {
        public Labels(Scene[] scenes)
        {
            Count = scenes.Length;
            var objects = scenes.SelectMany((scene, i) => scene.Objects.Select(o => (Picture: i, Object: o))).ToArray();
            Picture = Ids(objects.Select(entry => entry.Picture));
            Shape = Ids(objects.Select(entry => ObjectTargets.KindOf(entry.Object)));
            Plain = Ids(
                objects.Index().Where(entry => entry.Item.Object.Designed is null).Select(entry => entry.Index)
            );
            Colour = Ids(
                objects.Select(entry => entry.Object.Designed is null ? ObjectColour.IndexOf(entry.Object.Colour) : 0)
            );
            Pattern = Ids(objects.Select(entry => (int)entry.Object.Pattern));
            Cell = Ids(objects.Select(entry => CellOf(entry.Object)));
            Box = tensor(
                objects
                    .SelectMany(entry => (float[])[entry.Object.X, entry.Object.Foot, entry.Object.Extent])
                    .ToArray(),
                [objects.Length, 3]
            );
            Place = Ids(scenes.Select(scene => (int)scene.Place));
            Style = Ids(scenes.Select(scene => (int)scene.Style));
            var pairs = scenes
                .Select((scene, i) => (Picture: i, Scene: scene))
                .Where(entry => entry.Scene.Relation is not null)
                .ToArray();
            Pair = Ids(pairs.Select(entry => entry.Picture));
            First = Ids(pairs.Select(entry => ObjectTargets.KindOf(entry.Scene.Objects[0])));
            Second = Ids(pairs.Select(entry => ObjectTargets.KindOf(entry.Scene.Objects[1])));
            Relation = Ids(pairs.Select(entry => (int)entry.Scene.Relation!.Value));
            Presence = zeros(Count, ObjectTargets.Kinds);
            Presence.index_put_(ones(objects.Length), [Picture, Shape]);
        }

        public int Count { get; }

        public Tensor Picture { get; }

        public Tensor Shape { get; }

        /// <summary>Which objects are shapes of the catalogue, in one of the named colours.</summary>
        public Tensor Plain { get; }

        public Tensor Colour { get; }

        public Tensor Pattern { get; }

        /// <summary>The cell of the judge's grid that holds the object's middle.</summary>
        public Tensor Cell { get; }

        public Tensor Box { get; }

        public Tensor Place { get; }

        public Tensor Style { get; }

        public Tensor Pair { get; }

        public Tensor First { get; }

        public Tensor Second { get; }

        public Tensor Relation { get; }

        public Tensor Presence { get; }

        private static int CellOf(SceneObject o)
        {
            static int Place(float position) => Math.Clamp((int)(position * JudgeModel.Grid), 0, JudgeModel.Grid - 1);
            return (Place(o.Foot - (o.Extent / 2)) * JudgeModel.Grid) + Place(o.X);
        }

        private static Tensor Ids(IEnumerable<int> ids) => tensor(ids.Select(id => (long)id).ToArray());
    }
}
