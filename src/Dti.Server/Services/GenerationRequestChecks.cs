using Dti.Server.Libraries;
using Dti.V1;
using GenerationSettings = Dti.Engine.Generation.GenerationSettings;

namespace Dti.Server.Services;

/// <summary>The checks that requests to generate and to interpolate share.</summary>
internal static class GenerationRequestChecks
{
    /// <summary>Whether prompts are short enough to be looked at; longer ones are rejected.</summary>
    public static bool IsReadable(params ReadOnlySpan<string> prompts)
    {
        foreach (var prompt in prompts)
        {
            if (prompt.Length > GenerationSettings.MaxPromptLength)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Replaces each <c>embedding:NAME</c> of the negative prompt by the placeholder of that concept.</summary>
    public static void ReplaceEmbeddings(this RequestChecks checks, GenerationOptions asked, CallerConcepts concepts)
    {
        if (asked.HasNegativePrompt)
        {
            asked.NegativePrompt = checks.Try(() => concepts.ReplaceEmbeddings(asked.NegativePrompt))
                ?? asked.NegativePrompt;
        }
    }

    /// <summary>Checks the options that say how images are encoded and prompts are read.</summary>
    public static void CheckPicture(this RequestChecks checks, GenerationOptions asked)
    {
        checks.Known(asked.HasFormat, asked.Format, "options.format");
        checks.Known(asked.HasPromptSyntax, asked.PromptSyntax, "options.prompt_syntax");
        checks.Known(asked.HasLongPrompts, asked.LongPrompts, "options.long_prompts");
        checks.Require(
            !asked.HasQuality || asked.Quality is >= 1 and <= 100,
            "options.quality",
            $"quality is {asked.Quality}; it must be from 1 to 100."
        );
    }
}
