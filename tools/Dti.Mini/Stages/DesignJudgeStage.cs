using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>The part of the judge that reads designs, on crops whose place is a little wrong.</summary>
internal static class DesignJudgeStage
{
    private const int Pictures = 96; // per replica; two in three show a design
    private const float Jitter = 0.15f; // of a crop's place and size, relative to the object's extent

    /// <param name="folder">The work folder.</param>
    /// <param name="threads">Replicas.</param>
    /// <param name="steps">Steps of this leg.</param>
    /// <param name="leg">1: from fresh weights; 2, …: from those of the last leg, with other images.</param>
    public static void Run(string folder, int threads, int steps, int leg)
    {
        using var pictures = PictureStore.Open(folder, MiniWorld.TrainSeed, MiniWorld.Pictures);
        using var heldOut = PictureStore.Open(folder, MiniWorld.HeldOutSeed, 500);
        var weights = new FreshWeights(3_000_000, seed: 8, JudgeStage.StartOf);
        var loop = new TrainingLoop<DesignJudge>(
            folder,
            leg == 1 ? "design-judge" : $"design-judge-{leg}",
            new LoopSettings(steps, 2e-3, 100, 0.05, 0.998),
            weights,
            () => new DesignJudge(new WeightScope(weights)),
            threads,
            start: leg == 1 ? null : fresh => fresh.Read(MiniWorld.DesignJudgeFile)
        );
        loop.Run(
            (model, step, replica) =>
            {
                var dice = Dice.OfStep(80 + (ulong)leg, step, replica);
                var indices = dice.Indices(Pictures, pictures.Count);
                var scenes = indices.Select(index => Scene.Sample(MiniWorld.TrainSeed, index)).ToArray();
                var (crops, targets) = Designs(JudgeStage.Blur(pictures.Read(indices), dice), scenes, dice);
                var loss = ObjectReadout.Loss(model.Read(crops), targets);
                return (loss, new() { ["objects"] = loss.item<float>() });
            },
            250,
            model => Accuracy(model, heldOut)
        );
        ModelExport.Judge(loop.Averaged, MiniWorld.DesignJudgeFile);
    }

    /// <summary>How often held-out images are read right: in photos, and in all styles.</summary>
    private static Dictionary<string, double> Accuracy(DesignJudge model, PictureStore heldOut)
    {
        using var scope = NewDisposeScope();
        var scenes = Enumerable.Range(0, 500).Select(i => Scene.Sample(MiniWorld.HeldOutSeed, i)).ToArray();
        var results = new Dictionary<string, double>();
        foreach (var (name, isWanted) in ((string, Func<Scene, bool>)[])[("photo", IsPhoto), ("any", _ => true)])
        {
            var indices = Enumerable.Range(0, 500).Where(i => isWanted(scenes[i])).ToArray();
            var (crops, targets) = Designs(heldOut.Read(indices), [.. indices.Select(i => scenes[i])], dice: null);
            var (parts, colourError) = ObjectReadout.Accuracy(model.Read(crops), targets);
            results[$"parts_{name}"] = parts;
            results[$"colour_error_{name}"] = colourError;
        }

        return results;

        static bool IsPhoto(Scene scene) => scene is { Style: Style.Photo, Lighting: Lighting.Day };
    }

    /// <summary>Crops around all designs of some pictures, and what these look like.</summary>
    /// <param name="pictures">(B, 3, 128, 128) in [−1, 1].</param>
    /// <param name="scenes">What they show.</param>
    /// <param name="dice">Moves the crops; null: they are not moved.</param>
    private static (Tensor Crops, ObjectTargets Targets) Designs(Tensor pictures, Scene[] scenes, Dice? dice)
    {
        var designs = scenes
            .Index()
            .SelectMany(scene =>
                scene.Item.Objects.Where(o => o.Designed is not null).Select(o => (Picture: scene.Index, Object: o))
            )
            .ToArray();
        float Moved(float value, float extent) => value + (extent * (dice?.Range(-Jitter, Jitter) ?? 0));
        return (
            cat([
                    .. designs.Select(entry =>
                        DesignJudge.Crop(
                            pictures[entry.Picture].unsqueeze(0),
                            Moved(entry.Object.X, entry.Object.Extent),
                            Moved(entry.Object.Foot, entry.Object.Extent),
                            Moved(entry.Object.Extent, entry.Object.Extent)
                        )
                    ),
                ])
                .to(Precision.Compute),
            new ObjectTargets([.. designs.Select(entry => entry.Object)])
        );
    }
}
