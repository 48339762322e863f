using Dti.Engine.Models;
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
/// Stage 1: the text encoder, contrastively with an image encoder, against captions of other pictures and captions with
/// one mistake.
/// </summary>
internal static class TextStage
{
    private const int Batch = 64; // per replica

    public static ClipTextConfig Config(int vocabulary) =>
        new()
        {
            VocabSize = vocabulary,
            HiddenSize = 160,
            IntermediateSize = 320,
            NumHiddenLayers = 8,
            NumAttentionHeads = 4,
            MaxPositionEmbeddings = 77,
            QuickGelu = true,
            LayerNormEps = 1e-5,
            EosTokenId = vocabulary - 1,
        };

    public static void Run(string folder, int threads, int steps)
    {
        using var pictures = PictureStore.Open(folder, MiniWorld.TrainSeed, MiniWorld.Pictures);
        using var heldOut = PictureStore.Open(folder, MiniWorld.HeldOutSeed, 500);
        var tokenizer = ClipTokenizer.Load(MiniWorld.TokenizerFolder);
        var config = Config(tokenizer.VocabularySize);
        var weights = new FreshWeights(6_000_000, seed: 1, StartOf);
        var loop = new TrainingLoop<ContrastiveModel>(
            folder,
            "text",
            new LoopSettings(steps, 1e-3, 200, 0.1, 0.998),
            weights,
            () => new ContrastiveModel(config, new WeightScope(weights)),
            threads
        );
        loop.Run(
            (model, step, replica) =>
            {
                var dice = Dice.OfStep(11, step, replica);
                var indices = dice.Indices(Batch, pictures.Count);
                // (B, 2B): right captions, then mistaken ones
                var logits = Logits(model, tokenizer, pictures, MiniWorld.TrainSeed, indices, dice);
                var targets = arange(Batch);
                var loss =
                    0.5 * (F.cross_entropy(logits, targets) + F.cross_entropy(logits.narrow(1, 0, Batch).t(), targets));
                return (
                    loss,
                    new() { ["right"] = logits.argmax(1).eq(targets).to(ScalarType.Float32).mean().item<float>() }
                );
            },
            250,
            model =>
            {
                var logits = Logits(
                    model,
                    tokenizer,
                    heldOut,
                    MiniWorld.HeldOutSeed,
                    [.. Enumerable.Range(0, 256)],
                    new Dice(12)
                );
                var right = logits.narrow(1, 0, 256);
                var own = right.diag();
                return new()
                {
                    ["of_256"] = right.argmax(1).eq(arange(256)).to(ScalarType.Float32).mean().item<float>(),
                    ["mistakes_seen"] = own.gt(logits.narrow(1, 256, 256).diag())
                        .to(ScalarType.Float32)
                        .mean()
                        .item<float>(),
                };
            }
        );
        var learnt = loop
            .Averaged.Where(weight => weight.Key.StartsWith("text_model.", StringComparison.Ordinal))
            .ToDictionary();
        LiftUnusedRows(learnt["text_model.embeddings.token_embedding.weight"], tokenizer);
        ModelExport.TextEncoder(config, learnt);
    }

    /// <summary>
    /// Gives rows of tokens that no caption holds (letters, halves of words) the mean norm of those that were learnt:
    /// the mean norm of the vocabulary, which is DTI's magnitude, is then that of words.
    /// </summary>
    private static void LiftUnusedRows(Tensor embedding, ClipTokenizer tokenizer)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var used = zeros(embedding.shape[0], ScalarType.Bool);
        foreach (
            var id in Enumerable
                .Range(0, 20_000)
                .SelectMany(i =>
                    tokenizer.Encode(Captions.Say(Scene.Sample(MiniWorld.TrainSeed, i), new Dice(13, (ulong)i)))
                )
                .Concat([tokenizer.BosTokenId, tokenizer.EosTokenId])
                .Distinct()
        )
        {
            used[id] = true;
        }

        var norms = embedding.norm(1, keepdim: true, p: 2f);
        var typical = norms[used].mean();
        Console.WriteLine(
            $"{used.sum().item<long>()} of {embedding.shape[0]} tokens are used; their mean norm is {typical.item<float>():F3}"
        );
        embedding.copy_(where(used.unsqueeze(1), embedding, embedding / norms * typical));
    }

    private static Tensor Logits(
        ContrastiveModel model,
        ClipTokenizer tokenizer,
        PictureStore pictures,
        ulong seed,
        int[] indices,
        Dice dice
    )
    {
        var scenes = indices.Select(index => Scene.Sample(seed, index)).ToArray();
        var wordings = scenes.Select(_ => (ulong)dice.Int(int.MaxValue)).ToArray();
        var right = scenes.Select((scene, i) => Captions.Say(scene, new Dice(wordings[i])));
        var wrong = scenes.Select((scene, i) => Captions.Say(Mistakes.Make(scene, dice), new Dice(wordings[i])));
        var texts = model.EncodeText(CaptionBatch.Ids(tokenizer, right.Concat(wrong)));
        return model.Logits(model.EncodeImage(pictures.Read(indices)), texts);
    }

    private static Start StartOf(string name, long[] shape) =>
        name.EndsWith("bias", StringComparison.Ordinal) ? Start.Zero
        : name.Contains("embedding", StringComparison.Ordinal) ? Start.Embedding
        : name == "logit_scale" ? Start.LogitScale
        : shape.Length == 1 ? Start.One
        : Start.FanIn;
}
