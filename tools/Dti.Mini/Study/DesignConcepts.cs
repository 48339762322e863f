using System.Collections.Concurrent;
using System.Globalization;
using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Training;
using Dti.Mini.Subjects;
using Dti.Mini.World.Designs;

namespace Dti.Mini.Study;

/// <summary>
/// Concepts of held-out designs, learnt from five photos. Each is trained once and kept in a file. Thread-safe.
/// </summary>
/// <param name="folder">The folder of the files.</param>
/// <param name="profile">The model.</param>
internal sealed class DesignConcepts(string folder, ModelProfile profile)
{
    private readonly ConcurrentDictionary<string, Lock> _locks = [];

    /// <summary>A design's concept as a method learns it, without what is done after training.</summary>
    /// <param name="method">The method.</param>
    /// <param name="index">The design, <see cref="Design.HeldOut"/>.</param>
    /// <param name="seed">The seed of the training.</param>
    public ConceptEmbedding Get(StudyMethod method, int index, int seed)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"design-{index}-{seed}");
        var path = Path.Combine(folder, method.Folder, name + ".safetensors");
        lock (_locks.GetOrAdd(path, _ => new Lock()))
        {
            if (!File.Exists(path))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                ConceptFile.Write(path, Learn(method, name, index, seed), ConceptFileFormat.Diffusers);
            }
        }

        return ConceptFile.Read(path, $"<{name}>");
    }

    /// <summary>The word from which the concept of a design starts.</summary>
    public static string InitialWord(Design design) => design.Family.ToString().ToLowerInvariant();

    private ConceptEmbedding Learn(StudyMethod method, string name, int index, int seed)
    {
        var design = Design.HeldOut(index);
        var settings = TrainingSettings.Resolve(method.Options(InitialWord(design), seed), name, profile, () => 1);
        using var model = StudyTraining.Load(profile);
        var photos = StudyTraining.Photos(SubjectPhotos.Of(design, index));
        return StudyTraining.Create(model, settings, photos).Run(default).OfType<TrainingFinished>().Single().Concept;
    }
}
