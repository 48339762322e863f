using Dti.Engine.Models;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Subjects;
using Dti.Mini.Training;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>
/// Stage 5: the photo encoder, from latents of photos of designs that no other stage shows. It learns the direction
/// that <see cref="DesignEmbedder"/> gives a design.
/// </summary>
internal static class PhotoEncoderStage
{
    private const int Photos = 32_000; // each of a design of its own
    private const int FirstSeed = 100_000; // of the photos; held-out designs have lower ones
    private const int Batch = 64; // per replica

    public static void Run(string folder, int threads, int steps)
    {
        var vae = AutoencoderStage.Finished();
        var pool = LatentStore.Open(
            folder,
            "photos",
            Photos,
            index => SubjectPhotos.Of(Design.Photographed(index), FirstSeed + index)[index % SubjectPhotos.Count],
            vae,
            threads
        );
        var heldOut = LatentStore
            .Open(
                folder,
                "photos-held-out",
                Design.HeldOutCount * SubjectPhotos.Count,
                index =>
                    SubjectPhotos.Of(Design.HeldOut(index / SubjectPhotos.Count), index / SubjectPhotos.Count)[
                        index % SubjectPhotos.Count
                    ],
                vae,
                threads
            )
            .Read([.. Enumerable.Range(0, Design.HeldOutCount * SubjectPhotos.Count)])
            .to(Precision.Compute);
        var width = TextStage.Config(vocabulary: 0).HiddenSize;
        var embedder = WordsStage.Embedder(width);
        var heldOutDirections = Directions(embedder, Enumerable.Range(0, Design.HeldOutCount).Select(Design.HeldOut));
        var config = new PhotoEncoderConfig
        {
            InChannels = vae.Config.LatentChannels,
            BlockOutChannels = [48, 96, 160],
            LayersPerBlock = 2,
            NormNumGroups = 8,
            EmbeddingDims = [width],
        };
        var weights = new FreshWeights(3_000_000, seed: 9, StartOf);
        var loop = new TrainingLoop<PhotoEncoder>(
            folder,
            "photo-encoder",
            new LoopSettings(steps, 5e-3, 100, 0.01, 0.998, Muon: true),
            weights,
            () => new PhotoEncoder(config, new WeightScope(weights)),
            threads
        );
        loop.Run(
            (model, step, replica) =>
            {
                var indices = Dice.OfStep(90, step, replica).Indices(Batch, Photos);
                var predicted = model.Forward(pool.Read(indices).to(Precision.Compute))[0];
                var cosine = Cosines(predicted, Directions(embedder, indices.Select(Design.Photographed))).mean();
                return (1 - cosine, new() { ["cosine"] = cosine.item<float>() });
            },
            100,
            model =>
            {
                var predicted = model.Forward(heldOut)[0];
                Tensor[] ofDesigns = [.. predicted.split(SubjectPhotos.Count)];
                return new()
                {
                    ["photo"] = Cosines(predicted, heldOutDirections.repeat_interleave(SubjectPhotos.Count, 0))
                        .mean()
                        .item<float>(),
                    ["five_photos"] = Cosines(cat([.. ofDesigns.Select(PhotoEncoder.Mean)]), heldOutDirections)
                        .mean()
                        .item<float>(),
                };
            }
        );
        ModelExport.PhotoEncoder(config, loop.Averaged);
    }

    /// <summary>The directions of designs' embeddings, (B, d) fp32.</summary>
    private static Tensor Directions(DesignEmbedder embedder, IEnumerable<Design> designs)
    {
        using var frozen = no_grad();
        float[][] parameters = [.. designs.Select(DesignParameters.Of)];
        return nn.functional.normalize(
            embedder
                .Embed(
                    tensor([.. parameters.SelectMany(numbers => numbers)], [parameters.Length, DesignParameters.Count])
                        .to(Precision.Compute)
                )
                .to(ScalarType.Float32)
        );
    }

    private static Tensor Cosines(Tensor directions, Tensor others) => (directions * others).sum(1);

    private static Start StartOf(string name, long[] shape) =>
        name == "proj_out.weight" ? Start.FanIn : UNetStage.StartOf(name, shape);
}
