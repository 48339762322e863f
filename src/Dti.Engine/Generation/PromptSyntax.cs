namespace Dti.Engine.Generation;

/// <summary>What parentheses in a prompt mean.</summary>
public enum PromptSyntax
{
    /// <summary>
    /// Weights, as in ComfyUI: <c>(word)</c> is 1.1 times as strong, <c>(word:1.3)</c> 1.3 times, <c>\(</c> is a
    /// parenthesis.
    /// </summary>
    Weighted,

    /// <summary>Nothing: the prompt is read as it is, as diffusers reads it.</summary>
    Plain,
}
