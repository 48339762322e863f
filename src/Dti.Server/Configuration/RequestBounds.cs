using Dti.Engine.Generation;

namespace Dti.Server.Configuration;

/// <summary>
/// What every request may measure, whatever it asks for. Each bound is checked before any work is done;
/// <c>docs/security.md</c> lists them.
/// </summary>
internal static class RequestBounds
{
    /// <summary>Characters of a text that people write: a prompt, a template, a caption.</summary>
    public const int MaxText = GenerationSettings.MaxPromptLength;

    /// <summary>Characters of every other text: a name, an id, a choice.</summary>
    public const int MaxName = 1000;

    /// <summary>
    /// Characters of all texts of a request together. A concept keeps those of its training, so this also bounds its
    /// description.
    /// </summary>
    public const int MaxTexts = 100_000;

    /// <summary>Items of a list.</summary>
    public const int MaxItems = 1000;

    /// <summary>
    /// Fields and items of a message as it is sent, nested ones included: each becomes an object, however few bytes it
    /// takes.
    /// </summary>
    public const int MaxFields = 20_000;

    /// <summary>Bytes of a request to a service that needs no token, and of one to reflection.</summary>
    public const int SmallMessageBytes = 4096;

    /// <summary>Streams without a token that are open at a time, and as many other calls without one.</summary>
    public const int CallsWithoutToken = 64;

    /// <summary>Connections at a time.</summary>
    public const int MaxConnections = 4096;

    /// <summary>
    /// Calls of one caller, and of all callers, that wait for their turn to look at photos or at a vocabulary.
    /// </summary>
    public const int WaitingOfCaller = 64;

    /// <inheritdoc cref="WaitingOfCaller"/>
    public const int Waiting = 256;

    /// <summary>The longest time that a setting, a token or a history may last.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromDays(36_500);

    // Texts that people write; all others are names.
    private static readonly HashSet<string> _texts = new(StringComparer.Ordinal)
    {
        "prompt",
        "negative_prompt",
        "templates",
        "preview_prompts",
        "caption",
    };

    /// <summary>Characters that a field of a message may have.</summary>
    /// <param name="field">Its name in the contract.</param>
    public static int MaxLength(string field) => _texts.Contains(field) ? MaxText : MaxName;
}
