using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.V1;

namespace Dti.Server.Mapping;

internal static class InterpolationMapping
{
    /// <summary>The settings of an interpolation.</summary>
    /// <exception cref="Dti.Engine.DtiException">A field is wrong, or the concepts cannot be blended.</exception>
    public static InterpolationSettings Resolve(
        this InterpolateRequest request,
        ConceptEmbedding from,
        ConceptEmbedding to,
        ModelProfile profile,
        Func<ulong>? newSeed = null
    ) =>
        InterpolationSettings.Resolve(
            request.HasFrames ? request.Frames : null,
            request.Easing.ToEngine(),
            request.HasPrompt ? request.Prompt : null,
            (request.Options ?? new()).ToEngine(),
            from,
            to,
            profile,
            newSeed
        );
}
