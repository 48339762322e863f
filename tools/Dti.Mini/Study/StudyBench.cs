using System.Collections.Concurrent;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Training;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.Subjects;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// What all studies share: concepts, learnt once and kept; pictures of them, from the same noise for all; and the
/// judge, an encoder that the generator never saw.
/// </summary>
internal sealed class StudyBench
{
    private readonly StableDiffusionModel _model;
    private readonly MiniSampler _sampler;
    private readonly JudgeModel _judge;
    private readonly ConcurrentDictionary<string, Tensor> _photos = [];

    /// <param name="folder">The work folder.</param>
    public StudyBench(string folder)
    {
        Folder = Path.Combine(folder, "study");
        _model = StudyTraining.LoadForImages(ModelFamilies.BuiltIn.Read(MiniWorld.ModelFolder));
        _sampler = new MiniSampler(_model.TextEncoder, _model.Vae, _model.Tokenizer);
        _judge = new JudgeModel(
            _model.Tokenizer.VocabularySize,
            new WeightScope(new FrozenWeights(MiniWorld.JudgeFile))
        );
    }

    /// <summary>Of concepts and sheets.</summary>
    public string Folder { get; }

    /// <summary>The model.</summary>
    public ModelProfile Profile => _model.Profile;

    /// <summary>A subject's concept, as a method learns it from the subject's photos.</summary>
    public ConceptEmbedding Concept(StudyMethod method, Subject subject)
    {
        var path = PathOf(method, subject);
        if (!File.Exists(path))
        {
            Train(method, subject, (trainer, happened) =>
            {
                if (happened is TrainingFinished finished)
                {
                    Keep(method, subject, finished.Concept);
                }
            });
        }

        var concept = ConceptFile.Read(path, $"<{subject.Name}>");
        return method.Adjustment == Adjustment.Rescaled ? concept.Rescaled(Profile) : concept;
    }

    /// <summary>
    /// A subject's concepts after each of some numbers of steps, from one run: as κ does not change, a shorter run is
    /// the beginning of a longer one. And the run's checks, every 25 steps.
    /// </summary>
    public IReadOnlyList<TrainingCheck> TrainOnce(IReadOnlyList<StudyMethod> lengths, Subject subject)
    {
        var checks = new List<TrainingCheck>();
        Train(lengths.MaxBy(length => length.Steps)!, subject, checkEvery: 25, each: (session, happened) =>
        {
            if (
                happened is TrainingStep step
                && lengths.FirstOrDefault(length => length.Steps == step.Step) is { } length
            )
            {
                Keep(length, subject, session.Concept());
            }
            else if (happened is TrainingCheck check)
            {
                checks.Add(check);
            }
        });
        return checks;
    }

    private string PathOf(StudyMethod method, Subject subject) =>
        Path.Combine(Folder, method.Folder, subject.Name + ".safetensors");

    private void Keep(StudyMethod method, Subject subject, ConceptEmbedding concept)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(method, subject))!);
        ConceptFile.Write(PathOf(method, subject), concept, ConceptFileFormat.Diffusers);
    }

    private void Train(
        StudyMethod method,
        Subject subject,
        Action<TrainingSession, TrainingEvent> each,
        int checkEvery = 0
    )
    {
        var settings = TrainingSettings.Resolve(
            method.Options(subject.Initializer, seed: 1) with
            {
                CheckEvery = checkEvery,
            },
            subject.Name,
            Profile,
            () => 1
        );
        using var model = StudyTraining.Load(Profile);
        var photos = StudyTraining.Photos(SubjectPhotos.Of(subject));
        var session = StudyTraining.Create(model, settings, photos).Begin();
        foreach (var happened in session.Run(default))
        {
            each(session, happened);
        }
    }

    /// <summary>
    /// Pictures of prompts, the same noise for each concept; <c>{concept}</c> stands for it. All prompts of a seed,
    /// then the next.
    /// </summary>
    public byte[][] Draw(ConceptEmbedding concept, IReadOnlyList<string> prompts, int seeds)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var encoder = new PromptEncoder(_model, [concept]);
        var states = cat([
            .. prompts.Select(prompt =>
                encoder.Encode(prompt.Replace("{concept}", concept.Placeholder, StringComparison.Ordinal)).States
            ),
        ]);
        return
        [
            .. Enumerable
                .Range(0, seeds)
                .SelectMany(seed => _sampler.Sample(_model.UNet, states, guidance: 4, steps: 25, seed)),
        ];
    }

    /// <summary>What the judge reads in pictures.</summary>
    public Reading Read(IReadOnlyList<byte[]> pictures)
    {
        using var frozen = no_grad();
        return _judge.Read(QualityStage.Stack(pictures));
    }

    /// <summary>
    /// Mean cosine of the judge's embeddings between each picture and a subject's photos: one value per picture.
    /// </summary>
    public float[] Likeness(Reading pictures, Subject subject)
    {
        var photos = _photos.GetOrAdd(subject.Name, _ =>
            Read([.. SubjectPhotos.Of(subject).Select(ContactSheet.Draw)]).Embedding.DetachFromDisposeScope()
        );
        return pictures.Embedding.matmul(photos.t()).mean([1]).data<float>().ToArray();
    }
}
