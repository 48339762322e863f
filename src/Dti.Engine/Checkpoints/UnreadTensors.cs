using System.Text.RegularExpressions;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// Tensors of saved components that no pipeline reads. transformers and diffusers ignore them too: the parts of a whole
/// CLIP model other than its text encoder, and constants that older versions saved.
/// </summary>
internal static partial class UnreadTensors
{
    /// <summary>Checks that nothing else of a component is left unread.</summary>
    /// <param name="weights">The component's weights.</param>
    /// <param name="taken">The names that its model takes.</param>
    /// <exception cref="DtiException">
    /// The checkpoint holds more than was taken: it is of another architecture than its config says; up to five of the
    /// extra tensors are named.
    /// </exception>
    public static void EnsureAllTaken(ComponentWeights weights, IReadOnlySet<string> taken)
    {
        var sees = taken.Any(IsOfVision);
        bool IsUnread(string name) => Known().IsMatch(name) || (!sees && IsOfVision(name));
        string[] extra =
        [
            .. weights.Names.Where(name => !taken.Contains(name) && !IsUnread(name)).Order(StringComparer.Ordinal),
        ];
        if (extra.Length > 0)
        {
            var named = extra.Take(5).Select(name => $"'{name}' {weights.Entry(name).ShapeText}");
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{weights.FileOf(extra[0]).Path} holds {extra.Length} tensors that the model of its config does not "
                    + $"have: {string.Join(", ", named)}{(extra.Length > 5 ? ", …" : "")}"
            );
        }
    }

    private static bool IsOfVision(string name) => name.StartsWith("vision_model.", StringComparison.Ordinal);

    [GeneratedRegex(
        @"\A(logit_scale|logit_bias|text_projection\.(weight|bias)|visual_projection\.weight)\z|position_ids\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Known();
}
