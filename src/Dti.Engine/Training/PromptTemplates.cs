using System.Text.RegularExpressions;

namespace Dti.Engine.Training;

/// <summary>
/// Prompts that the concept is trained with: the shortened ImageNet templates of Textual Inversion (Gal et al., 2022),
/// in the order of its published code and of the reference. In each, <c>{}</c> stands for the concept.
/// </summary>
public static class PromptTemplates
{
    /// <summary>27 templates for things.</summary>
    public static IReadOnlyList<string> Objects { get; } =
    [
        "a photo of a {}",
        "a rendering of a {}",
        "a cropped photo of the {}",
        "the photo of a {}",
        "a photo of a clean {}",
        "a photo of a dirty {}",
        "a dark photo of the {}",
        "a photo of my {}",
        "a photo of the cool {}",
        "a close-up photo of a {}",
        "a bright photo of the {}",
        "a cropped photo of a {}",
        "a photo of the {}",
        "a good photo of the {}",
        "a photo of one {}",
        "a close-up photo of the {}",
        "a rendition of the {}",
        "a photo of the clean {}",
        "a rendition of a {}",
        "a photo of a nice {}",
        "a good photo of a {}",
        "a photo of the nice {}",
        "a photo of the small {}",
        "a photo of the weird {}",
        "a photo of the large {}",
        "a photo of a cool {}",
        "a photo of a small {}",
    ];

    /// <summary>19 templates for styles; two occur twice, as published, and are so twice as likely.</summary>
    public static IReadOnlyList<string> Styles { get; } =
    [
        "a painting in the style of {}",
        "a rendering in the style of {}",
        "a cropped painting in the style of {}",
        "the painting in the style of {}",
        "a clean painting in the style of {}",
        "a dirty painting in the style of {}",
        "a dark painting in the style of {}",
        "a picture in the style of {}",
        "a cool painting in the style of {}",
        "a close-up painting in the style of {}",
        "a bright painting in the style of {}",
        "a cropped painting in the style of {}",
        "a good painting in the style of {}",
        "a close-up painting in the style of {}",
        "a rendition in the style of {}",
        "a nice painting in the style of {}",
        "a small painting in the style of {}",
        "a weird painting in the style of {}",
        "a large painting in the style of {}",
    ];

    /// <summary>The templates for a kind of concept.</summary>
    /// <param name="kind">What the photos show.</param>
    public static IReadOnlyList<string> For(ConceptKind kind) => kind == ConceptKind.Style ? Styles : Objects;

    /// <summary>
    /// What stands for the concept in a text that the user wrote; <c>{}</c> does too, as in published templates.
    /// </summary>
    public const string Concept = "{concept}";

    /// <summary>
    /// A template, with <c>{}</c> for the concept, from a text that the user wrote: a caption of a photo, or a
    /// template.
    /// </summary>
    /// <param name="text">A text with <c>{concept}</c> or <c>{}</c>; else with the initial word, whose first place the
    /// concept takes: of <c>a cat on a sofa</c> and <c>cat</c> comes <c>a {} on a sofa</c>.</param>
    /// <param name="initializer">The initial word; empty: none.</param>
    /// <returns>The template; null: the text does not say where the concept goes.</returns>
    public static string? Parse(string text, string initializer)
    {
        ArgumentNullException.ThrowIfNull(text);
        var template = text.Trim().Replace(Concept, "{}", StringComparison.OrdinalIgnoreCase);
        if (template.Contains("{}", StringComparison.Ordinal))
        {
            return template;
        }

        var word = string.IsNullOrEmpty(initializer)
            ? Match.Empty
            : Regex.Match(
                template,
                $@"(?<!\w){Regex.Escape(initializer)}(?!\w)",
                RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
            );
        return word.Success
            ? string.Concat(template.AsSpan(0, word.Index), "{}", template.AsSpan(word.Index + word.Length))
            : null;
    }

    /// <summary>Puts the concept into a template.</summary>
    /// <param name="template">One of the templates.</param>
    /// <param name="placeholder">What stands for the concept in prompts; for several vectors, all tokens joined without
    /// blanks.</param>
    public static string Fill(string template, string placeholder)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.Replace("{}", placeholder, StringComparison.Ordinal);
    }
}
