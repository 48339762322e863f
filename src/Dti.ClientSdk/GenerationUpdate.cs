namespace Dti.ClientSdk;

/// <summary>
/// One event of a generation or an interpolation. The first is <see cref="GenerationAccepted"/> or
/// <see cref="InterpolationAccepted"/>, the last <see cref="GenerationResult"/>. Where a lost connection makes it
/// necessary to send the request again, the first one comes again, with the id of the new job; everything else comes
/// once.
/// </summary>
public abstract record GenerationUpdate
{
    private protected GenerationUpdate() { }
}

/// <summary>A generation was accepted.</summary>
/// <param name="JobId">Its id.</param>
/// <param name="Settings">What it uses, every default filled in.</param>
public sealed record GenerationAccepted(string JobId, GenerationSettings Settings) : GenerationUpdate;

/// <summary>An interpolation was accepted.</summary>
/// <param name="JobId">Its id.</param>
/// <param name="FromConcept">The concept at t = 0.</param>
/// <param name="ToConcept">The concept at t = 1.</param>
/// <param name="Frames">Number of images.</param>
/// <param name="Easing">How t runs over them.</param>
/// <param name="AnglesDegrees">Angle between the two concepts' directions, degrees, one per vector.</param>
/// <param name="Settings">What it uses, every default filled in.</param>
public sealed record InterpolationAccepted(
    string JobId,
    string FromConcept,
    string ToConcept,
    int Frames,
    Easing Easing,
    IReadOnlyList<double> AnglesDegrees,
    GenerationSettings Settings
) : GenerationUpdate;

/// <summary>The job waits for its turn.</summary>
/// <param name="Position">Jobs ahead of this one.</param>
/// <param name="ExpectedStart">When it may start, going by what steps took lately; null: nothing is known of that
/// yet.</param>
public sealed record GenerationQueued(int Position, DateTimeOffset? ExpectedStart = null) : GenerationUpdate;

/// <summary>A sampling step was done.</summary>
/// <param name="Step">Sampling steps done, over all images.</param>
/// <param name="TotalSteps">Sampling steps to do.</param>
/// <param name="TimeLeft">Estimate, if there is one.</param>
public sealed record SamplingProgress(int Step, int TotalSteps, TimeSpan? TimeLeft) : GenerationUpdate
{
    /// <summary>
    /// Every <see cref="GenerationOptions.PreviewEvery"/> steps: the image during sampling, as the model predicts it
    /// after this step; a small PNG, an eighth of its width and height. Null also where this client came later or could
    /// not follow: the server does not keep previews.
    /// </summary>
    public Picture? Preview { get; init; }
}

/// <summary>Something the user should know; the work continues.</summary>
/// <param name="Code">A stable code, for example <c>PROMPT_TOO_LONG</c>.</param>
/// <param name="Message">One sentence.</param>
public sealed record GenerationWarning(string Code, string Message) : GenerationUpdate;

/// <summary>
/// The client waits for a server that became unreachable; the images are not lost. Reported once for each wait longer
/// than a second.
/// </summary>
/// <param name="Since">When the connection was lost.</param>
/// <param name="Until">When the client gives up.</param>
public sealed record GenerationConnectionLost(DateTimeOffset Since, DateTimeOffset Until) : GenerationUpdate;

/// <summary>An image is ready.</summary>
/// <param name="Picture">The image; of an interpolation, its <see cref="Picture.T"/> is set.</param>
public sealed record GeneratedPicture(Picture Picture) : GenerationUpdate;

/// <summary>All images were sent.</summary>
/// <param name="Pictures">How many.</param>
/// <param name="Elapsed">From the start of the job to its end.</param>
public sealed record GenerationResult(int Pictures, TimeSpan Elapsed) : GenerationUpdate;
