namespace Dti.ClientSdk;

/// <summary>What kind of thing the photos show; chooses the prompt templates.</summary>
public enum ConceptKind
{
    /// <summary>"a photo of a &lt;x&gt;", …</summary>
    Object = 1,

    /// <summary>"a painting in the style of &lt;x&gt;", …</summary>
    Style = 2,
}

/// <summary>What is learnt of an embedding, and how. All but the first are baselines to compare with.</summary>
public enum TrainingMethod
{
    /// <summary>Directions on the unit sphere; the magnitude is fixed (arXiv 2512.13672).</summary>
    Dti = 1,

    /// <summary>
    /// The embedding itself, by AdamW (Textual Inversion, arXiv 2208.01618): its norm is free to grow.
    /// </summary>
    Ti = 2,

    /// <summary>As <see cref="Ti"/> without weight decay, and set back to the magnitude after each step.</summary>
    TiRenormalized = 3,

    /// <summary>As <see cref="Ti"/>, and set to the magnitude when it is saved.</summary>
    TiRescaled = 4,

    /// <summary>
    /// As <see cref="TiRenormalized"/>, but each step multiplies the norm by (magnitude / norm)^0.1 only.
    /// </summary>
    TiSoftlyRenormalized = 5,

    /// <summary>
    /// As <see cref="Ti"/>, from what the text encoder makes of the initializer (Cross Initialization, arXiv
    /// 2312.15905).
    /// </summary>
    CrossInit = 6,
}

/// <summary>How the learning rate η goes over a run.</summary>
public enum LearningRateSchedule
{
    /// <summary>The same at every step.</summary>
    Constant = 1,

    /// <summary>From η down to 0, evenly.</summary>
    Linear = 2,

    /// <summary>From η down to 0, as half a cosine.</summary>
    Cosine = 3,
}

/// <summary>Where training starts if no concept is named.</summary>
public enum TrainingStart
{
    /// <summary>At the token embeddings of the initializer.</summary>
    Word = 1,

    /// <summary>At the direction that the model's photo encoder predicts from the photos.</summary>
    Photos = 2,
}

/// <summary>How κ goes over a run.</summary>
public enum KappaSchedule
{
    /// <summary>The same at every step.</summary>
    Constant = 1,

    /// <summary>From κ down to 0, evenly.</summary>
    Linear = 2,

    /// <summary>From κ down to 0, as half a cosine.</summary>
    Cosine = 3,
}

/// <summary>What a training is for.</summary>
public enum TrainingPreset
{
    /// <summary>Half of the model's steps.</summary>
    Fast = 1,

    /// <summary>What suits the model.</summary>
    Balanced = 2,

    /// <summary>Twice the model's steps: as like the photos as it gets, at some cost to long prompts.</summary>
    Faithful = 3,
}

/// <summary>Which text encoders learn.</summary>
public enum LearntEncoders
{
    /// <summary>All that the model has.</summary>
    All = 1,

    /// <summary>The first alone; SDXL's second keeps the start.</summary>
    First = 2,

    /// <summary>The second alone; SDXL only.</summary>
    Second = 3,
}

/// <summary>How the fixed magnitude m of an embedding m·v is chosen.</summary>
public enum Magnitude
{
    /// <summary>Mean norm of the vocabulary's token embeddings.</summary>
    Mean = 1,

    /// <summary>The smallest of them.</summary>
    Min = 2,

    /// <summary>The largest of them.</summary>
    Max = 3,

    /// <summary><see cref="TrainingOptions.MagnitudeValue"/>.</summary>
    Value = 4,

    /// <summary>Median norm of the vocabulary's token embeddings.</summary>
    Median = 5,

    /// <summary>The initializer's own: the mean of its tokens' norms.</summary>
    Initializer = 6,
}

/// <summary>What parentheses and <c>embedding:</c> in a prompt mean.</summary>
public enum PromptSyntax
{
    /// <summary>
    /// As in ComfyUI: <c>(word)</c> is 1.1 times as strong, <c>(word:1.3)</c> 1.3 times, <c>\(</c> and <c>\)</c> are
    /// parentheses, <c>embedding:name</c> is a concept.
    /// </summary>
    Weighted = 1,

    /// <summary>Nothing: as diffusers reads prompts.</summary>
    Plain = 2,
}

/// <summary>What becomes of a prompt of more than 77 tokens.</summary>
public enum LongPrompts
{
    /// <summary>
    /// It is read in chunks of 75 tokens, as in ComfyUI and A1111; beyond 16 chunks it is cut, with a warning.
    /// </summary>
    Chunks = 1,

    /// <summary>It is cut, as in diffusers, with a warning.</summary>
    Cut = 2,
}

/// <summary>Format of images in replies.</summary>
public enum PictureFormat
{
    /// <summary>PNG, lossless.</summary>
    Png = 1,

    /// <summary>JPEG.</summary>
    Jpeg = 2,

    /// <summary>WebP.</summary>
    Webp = 3,
}

/// <summary>How t runs over the frames of an interpolation.</summary>
public enum Easing
{
    /// <summary>Evenly.</summary>
    Linear = 1,

    /// <summary>Slow at both ends: 3t² − 2t³.</summary>
    Smooth = 2,
}

/// <summary>What a job does.</summary>
public enum JobKind
{
    /// <summary>A kind that this version of the client does not know.</summary>
    Unknown = 0,

    /// <summary>Learns a concept.</summary>
    Train = 1,

    /// <summary>Generates images.</summary>
    Generate = 2,

    /// <summary>Generates images between two concepts.</summary>
    Interpolate = 3,
}

/// <summary>Where a job is.</summary>
public enum JobState
{
    /// <summary>A state that this version of the client does not know.</summary>
    Unknown = 0,

    /// <summary>Waits for its turn.</summary>
    Queued = 1,

    /// <summary>Works.</summary>
    Running = 2,

    /// <summary>Done.</summary>
    Succeeded = 3,

    /// <summary>Ended with an error.</summary>
    Failed = 4,

    /// <summary>Was cancelled.</summary>
    Cancelled = 5,
}

/// <summary>Layout of an embedding file.</summary>
public enum ConceptFormat
{
    /// <summary><c>{"&lt;name&gt;": (n, d)}</c>: diffusers' <c>load_textual_inversion</c>.</summary>
    Diffusers = 1,

    /// <summary><c>{"emb_params": (n, d)}</c>: A1111 and ComfyUI.</summary>
    WebUi = 2,
}
