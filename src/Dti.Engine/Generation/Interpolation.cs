using Dti.Engine.Concepts;
using Dti.Engine.Models;

namespace Dti.Engine.Generation;

/// <summary>Generates images along the great circle between two concepts, all from the same noise.</summary>
/// <param name="model">The model; one run at a time may use it.</param>
public sealed class Interpolation(IDiffusionModel model)
{
    private const string BlendPlaceholder = "<dti-blend>";

    /// <summary>
    /// Generates the images. Each event is computed when it is requested, on the caller's thread: at most one sampling
    /// step at a time.
    /// </summary>
    /// <param name="settings">The settings.</param>
    /// <param name="from">The concept at t = 0.</param>
    /// <param name="to">The concept at t = 1.</param>
    /// <param name="others">Concepts that the prompts name in addition to the blend.</param>
    /// <param name="cancellationToken">Stops within one step.</param>
    /// <returns>Warnings; for each frame its sampling steps, then the image with its t.</returns>
    /// <exception cref="DtiException">The concepts cannot be blended, or do not fit the model.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public IEnumerable<GenerationEvent> Run(
        InterpolationSettings settings,
        ConceptEmbedding from,
        ConceptEmbedding to,
        IReadOnlyList<ConceptEmbedding> others,
        CancellationToken cancellationToken
    )
    {
        var generator = new TextToImage(model);
        var total = settings.Frames * settings.Generation.Steps;
        var frame = settings.Generation with
        {
            Prompt = settings.Generation.Prompt.Replace(
                InterpolationSettings.ConceptMark,
                BlendPlaceholder,
                StringComparison.Ordinal
            ),
        };
        for (var index = 0; index < settings.Frames; index++)
        {
            var t = settings.T(index);
            GeneratedImage Frame(GeneratedImage image) =>
                image with
                {
                    Index = index,
                    Prompt = settings.Generation.Prompt,
                    T = t,
                };
            var blend = Slerp.Between(from, to, t) with { Placeholder = BlendPlaceholder };
            foreach (var happened in generator.Run(frame, [blend, .. others], cancellationToken))
            {
                switch (happened)
                {
                    case SamplingStep step:
                        yield return new SamplingStep(
                            (index * settings.Generation.Steps) + step.Step,
                            total,
                            step.Preview is null ? null : Frame(step.Preview)
                        );
                        break;
                    case GeneratedImage image:
                        yield return Frame(image);
                        break;
                    case GenerationWarning when index == 0:
                        yield return happened;
                        break;
                }
            }
        }
    }
}
