using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Text;
using Dti.Mini.Training;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>
/// Stage 1b: the text encoder learns designs, from captions alone: heads must read the parameters of each object from
/// its states. The embeddings of designs come from their parameters (<see cref="DesignEmbedder"/>), most of them new
/// ones.
/// </summary>
internal static class WordsStage
{
    private const int Batch = 64; // per replica
    private const int Chunk = 16;

    public static void Run(string folder, int threads, int steps)
    {
        var tokenizer = ClipTokenizer.Load(MiniWorld.TokenizerFolder);
        var config = TextStage.Config(tokenizer.VocabularySize);
        var weights = new FreshWeights(8_000_000, seed: 4, StartOf);
        var loop = new TrainingLoop<CaptionReader>(
            folder,
            "words",
            new LoopSettings(steps, 2e-3, 100, 0.01, 0.998, Muon: true),
            weights,
            () => new CaptionReader(config, new WeightScope(weights)),
            threads,
            start: fresh => WarmStart(fresh)
        );
        (Tensor Loss, Dictionary<string, double> Logs) Loss(
            CaptionReader model,
            ulong seed,
            int[] indices,
            Dice dice,
            bool noisy
        )
        {
            using var generator = noisy ? new Generator((ulong)dice.Int(int.MaxValue), CPU) : null;

            // Short captions go with short ones, so that little is computed for padding.
            var chunks = indices
                .Select(index => DesignCaptions.WithoutNames(Scene.Sample(seed, index)))
                .Select(scene => (Scene: scene, Marked: Captions.SayMarked(scene, dice)))
                .OrderBy(caption => caption.Marked.Length)
                .Chunk(Chunk)
                .ToArray();
            var losses = chunks
                .Select(chunk =>
                    model.Loss(
                        new DesignCaptions(tokenizer, chunk),
                        [.. chunk.Select(caption => caption.Scene)],
                        generator
                    )
                )
                .ToArray();
            return (
                losses.Select(chunk => chunk.Loss).Aggregate((sum, loss) => sum + loss) / losses.Length,
                losses[0].Logs.Keys.ToDictionary(key => key, key => losses.Average(chunk => chunk.Logs[key]))
            );
        }

        loop.Run(
            (model, step, replica) =>
            {
                var dice = Dice.OfStep(41, step, replica);
                return Loss(model, Design.TrainScenes, dice.Indices(Batch, 10_000_000), dice, noisy: true);
            },
            50,
            model =>
            {
                var (loss, logs) = Loss(
                    model,
                    Design.HeldOutScenes,
                    [.. Enumerable.Range(0, 256)],
                    new Dice(42),
                    noisy: false
                );
                return new(logs) { ["loss"] = loss.item<float>() };
            }
        );
        Finish(loop.Averaged, tokenizer, config);
    }

    /// <summary>The embedder that goes with the finished text encoder.</summary>
    public static DesignEmbedder Embedder(int width) =>
        new(width, new WeightScope(new FrozenWeights(MiniWorld.EmbedderFile)).Sub("designs"));

    // Rows of names come from the embedder; rows of other tokens that no caption holds get the mean norm of words.
    private static void Finish(Dictionary<string, Tensor> learnt, ClipTokenizer tokenizer, ClipTextConfig config)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var table = learnt["text_model.embeddings.token_embedding.weight"];
        Directory.CreateDirectory(MiniWorld.ModelFolder);
        SafetensorsWriter.Write(
            MiniWorld.EmbedderFile,
            learnt.Where(weight => weight.Key.StartsWith("designs.", StringComparison.Ordinal)).ToDictionary()
        );
        var embedder = Embedder((int)table.shape[1]);

        var used = zeros(table.shape[0], ScalarType.Bool);
        foreach (
            var id in Enumerable
                .Range(0, 20_000)
                .SelectMany(i =>
                    tokenizer.Encode(
                        Captions.Say(
                            DesignCaptions.WithoutNames(Scene.Sample(Design.TrainScenes, i)),
                            new Dice(43, (ulong)i)
                        )
                    )
                )
                .Concat([tokenizer.BosTokenId, tokenizer.EosTokenId])
                .Distinct()
        )
        {
            used[id] = true;
        }

        var norms = table.norm(1, keepdim: true, p: 2f);
        var words = norms[used].mean();
        table.copy_(where(used.unsqueeze(1), table, table / norms * words));
        for (var i = 0; i < DesignNames.All.Count; i++)
        {
            var id = tokenizer.Encode(DesignNames.All[i]);
            var row = embedder.Embed(
                tensor(DesignParameters.Of(Design.Named(i)), [1, DesignParameters.Count]).to(Precision.Compute)
            );
            table[id.Single()] = (row[0].to(ScalarType.Float32) / DesignEmbedder.Norm * words);
        }

        Console.WriteLine(
            $"{used.sum().item<long>()} words with a mean norm of {words.item<float>():F3}; {DesignNames.All.Count} names"
        );
        ModelExport.TextEncoder(
            config,
            learnt.Where(weight => weight.Key.StartsWith("text_model.", StringComparison.Ordinal)).ToDictionary()
        );
    }

    // From the text encoder of the world without designs, whose tokens keep their rows.
    private static void WarmStart(FreshWeights weights)
    {
        const string first = "models/dti-mini";
        const string table = "text_model.embeddings.token_embedding.weight";
        using var frozen = no_grad();
        using var file = SafetensorsFile.Open(Path.Combine(first, "text_encoder", "model.safetensors"));
        var before = ClipTokenizer.Load(Path.Combine(first, "tokenizer"));
        foreach (
            var (name, weight) in weights
                .Named(weights.Master)
                .Where(entry => entry.Key.StartsWith("text_model.", StringComparison.Ordinal))
        )
        {
            using var stored = file.Read(name).to(ScalarType.Float32);
            if (name != table)
            {
                weight.copy_(stored);
                continue;
            }

            weight.mul_(DesignEmbedder.Norm / weight.norm(1, keepdim: true, p: 2f));
            foreach (var (token, id) in MiniVocabulary.Read(MiniWorld.TokenizerFolder))
            {
                if (before.TryGetId(token, out var row))
                {
                    weight[id].copy_(stored[row]);
                }
            }
        }

        weights.Compute.copy_(weights.Master);
    }

    private static Start StartOf(string name, long[] shape) =>
        name.EndsWith("bias", StringComparison.Ordinal) ? Start.Zero
        : name.Contains("embedding", StringComparison.Ordinal) ? Start.Embedding
        : shape.Length == 1 ? Start.One
        : Start.FanIn;
}
