namespace Dti.Engine.Generation;

/// <summary>What becomes of a prompt that is longer than the text encoder reads at once.</summary>
public enum LongPrompts
{
    /// <summary>It is read in chunks of 75 tokens, whose states follow each other, as in ComfyUI and A1111.</summary>
    Chunks,

    /// <summary>It is cut, as in diffusers.</summary>
    Cut,
}
