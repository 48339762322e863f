namespace Dti.Mini.Stages;

/// <summary>How images are sampled.</summary>
/// <param name="Scheduler">The scheduler's name.</param>
/// <param name="Guidance">Scale of classifier-free guidance.</param>
/// <param name="Steps">Sampling steps.</param>
internal sealed record Sampling(string Scheduler, double Guidance, int Steps)
{
    /// <summary>That of sheets while the denoiser is in training.</summary>
    public static Sampling Sheet { get; } = new("ddim", 4, 25);

    /// <summary>
    /// That of all studies of designs. At this guidance most parts are right, and more steps do not add to them (stage
    /// <c>guidance</c>).
    /// </summary>
    public static Sampling Study { get; } = new("dpmpp_2m", 5, 12);
}
