using System.Globalization;
using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Training;
using Dti.Mini.Subjects;
using Dti.Mini.World.Designs;
using Dti.Mini.World.Shapes;

namespace Dti.Mini.Study;

/// <summary>
/// Concepts of held-out designs, learnt from five photos. Each is trained once and kept in a file.
/// </summary>
/// <param name="folder">The work folder.</param>
/// <param name="profile">The model.</param>
internal sealed class DesignConcepts(string folder, ModelProfile profile)
{
    private const int BatchedConcepts = 8;

    /// <summary>The words for everything that scenes contain.</summary>
    private static string[] Kinds { get; } =
    [.. ShapeCatalogue.All.Select(shape => shape.Name), .. Enum.GetValues<DesignFamily>().Select(Design.WordOf)];

    /// <summary>Trains the concepts that are not in files yet, some on each core.</summary>
    /// <param name="runs">Methods, designs (<see cref="Design.HeldOut"/>) and seeds of the training.</param>
    public void Learn(IEnumerable<(StudyMethod Method, int Index, int Seed)> runs)
    {
        var missing = runs.DistinctBy(run => FileOf(run.Method, run.Index, run.Seed))
            .Where(run => !File.Exists(FileOf(run.Method, run.Index, run.Seed)))
            .GroupBy(run => run.Method.Folder)
            .SelectMany(sharing => sharing.Chunk(BatchedConcepts));
        EachCore.Run(missing, Learn);
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
        using var model = StudyTraining.Load(profile);
        using var batch = new ConceptBatch(
            model,
            runs.Select(run =>
            {
                var design = Design.HeldOut(run.Index);
                TrainingSettings From(string word) =>
                    TrainingSettings.Resolve(
                        run.Method.Options(word, run.Seed),
                        NameOf(run.Index, run.Seed),
                        profile,
                        () => 1
                    );
                var settings = From(design.Word);
                var photos = StudyTraining.Set(settings, StudyTraining.Photos(SubjectPhotos.Of(design, run.Index)));
                if (run.Method.InitialWord == InitialWord.Family)
                {
                    return (settings, photos);
                }

                var words = run.Method.InitialWord == InitialWord.NearestName ? DesignNames.All : Kinds;
                var found = NearestWord.Among(words, model, settings, photos);
                Console.WriteLine($"{NameOf(run.Index, run.Seed)}, a {design.Word}, starts from {found}");
                return (From(found), photos);
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
