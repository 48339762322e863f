using System.Collections.Concurrent;
using System.Globalization;
using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Training;
using Dti.Mini.Subjects;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// Concepts of held-out designs, learnt from five photos. Each is trained once and kept in a file.
/// </summary>
/// <param name="folder">The work folder.</param>
/// <param name="profile">The model.</param>
internal sealed class DesignConcepts(string folder, ModelProfile profile)
{
    private const int BatchedConcepts = 8;

    /// <summary>The word from which the concept of a design starts.</summary>
    public static string InitialWord(Design design) => design.Family.ToString().ToLowerInvariant();

    /// <summary>Trains the concepts that are not in files yet, some on each core.</summary>
    /// <param name="runs">Methods, designs (<see cref="Design.HeldOut"/>) and seeds of the training.</param>
    public void Learn(IEnumerable<(StudyMethod Method, int Index, int Seed)> runs)
    {
        var missing = runs.DistinctBy(run => FileOf(run.Method, run.Index, run.Seed))
            .Where(run => !File.Exists(FileOf(run.Method, run.Index, run.Seed)))
            .GroupBy(run => run.Method.Folder)
            .SelectMany(sharing => sharing.Chunk(BatchedConcepts));
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.ForEach(Partitioner.Create(missing, EnumerablePartitionerOptions.NoBuffering), options, Learn);
    }

    /// <summary>A design's concept as a method learns it, without what is done after training.</summary>
    /// <param name="method">The method.</param>
    /// <param name="index">The design, <see cref="Design.HeldOut"/>.</param>
    /// <param name="seed">The seed of the training.</param>
    /// <exception cref="FileNotFoundException">It was not learnt.</exception>
    public ConceptEmbedding Get(StudyMethod method, int index, int seed) =>
        ConceptFile.Read(FileOf(method, index, seed), $"<{NameOf(index, seed)}>");

    private static string NameOf(int index, int seed) =>
        string.Create(CultureInfo.InvariantCulture, $"design-{index}-{seed}");

    private string FileOf(StudyMethod method, int index, int seed) =>
        Path.Combine(folder, "concepts", method.Folder, NameOf(index, seed) + ".safetensors");

    private void Learn((StudyMethod Method, int Index, int Seed)[] runs)
    {
        set_num_threads(1);
        using var scope = NewDisposeScope();
        using var model = StudyTraining.LoadForImages(profile);
        using var batch = new ConceptBatch(
            model,
            runs.Select(run =>
            {
                var design = Design.HeldOut(run.Index);
                var settings = TrainingSettings.Resolve(
                    run.Method.Options(InitialWord(design), run.Seed),
                    NameOf(run.Index, run.Seed),
                    profile,
                    () => 1
                );
                var photos = StudyTraining.Photos(SubjectPhotos.Of(design, run.Index));
                return (settings, StudyTraining.Set(settings, photos));
            })
        );
        foreach (var (run, concept) in runs.Zip(batch.Run()))
        {
            var file = FileOf(run.Method, run.Index, run.Seed);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            ConceptFile.Write(file, concept, ConceptFileFormat.Diffusers);
        }
    }
}
