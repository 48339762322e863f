namespace Dti.ClientSdk;

/// <summary>What <see cref="DtiClient.TrainAsync"/> asks for.</summary>
public sealed record TrainRequest
{
    /// <summary>
    /// Name of the concept to be learnt: letters, digits, <c>_</c> and <c>-</c>, at most 64. Prompts use it as
    /// <c>&lt;name&gt;</c>.
    /// </summary>
    public string Name { get; init; } = "";

    /// <summary>1 to 50 photos: JPEG, PNG, WebP, BMP, GIF (first frame). None with <see cref="Resume"/>.</summary>
    public IReadOnlyList<Photo> Photos { get; init; } = [];

    /// <summary>
    /// Settings; what is null takes the published default, which <see cref="TrainingAccepted.Settings"/> shows.
    /// </summary>
    public TrainingOptions Options { get; init; } = new();

    /// <summary>Replace a concept of the same name.</summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// Cancel the job when the connection ends before it. Without it the job continues, and the client reconnects to it
    /// when the connection drops.
    /// </summary>
    public bool CancelOnDisconnect { get; init; }

    /// <summary>
    /// Go on with the training of this name that was cancelled, cut off or finished, as if it had never stopped. Of
    /// <see cref="Options"/> only steps, previews and snapshots may then be set.
    /// </summary>
    public bool Resume { get; init; }

    /// <summary>With <see cref="Resume"/>: the step of a kept snapshot. Null: the newest.</summary>
    public int? ResumeFromStep { get; init; }

    /// <summary>
    /// Makes a retry safe: the same id never trains twice. Null: the client chooses one for each call.
    /// </summary>
    public string? RequestId { get; init; }
}
