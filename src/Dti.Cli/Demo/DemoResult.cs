using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>The outcome of the demo, for its page.</summary>
/// <param name="Plan">The requests.</param>
/// <param name="Duels">A result for each duel of the plan.</param>
/// <param name="Blend">The interpolation.</param>
/// <param name="Model">The model.</param>
/// <param name="Elapsed">From the start of the command.</param>
internal sealed record DemoResult(
    DemoPlan Plan,
    IReadOnlyList<DemoDuelResult> Duels,
    GenerationOutcome Blend,
    Model Model,
    TimeSpan Elapsed
);

/// <summary>The outcome of one subject.</summary>
/// <param name="Plan">The requests.</param>
/// <param name="Photos">The photos.</param>
/// <param name="Dti">The training by DTI.</param>
/// <param name="Ti">The training by TI.</param>
/// <param name="Prompts">A result for each prompt of the plan.</param>
internal sealed record DemoDuelResult(
    DemoDuel Plan,
    IReadOnlyList<Photo> Photos,
    TrainingOutcome Dti,
    TrainingOutcome Ti,
    IReadOnlyList<DemoPromptResult> Prompts
);

/// <summary>The images of one prompt, by seed.</summary>
/// <param name="Plan">The requests.</param>
/// <param name="Dti">With the concept that DTI learnt.</param>
/// <param name="Ti">With the concept that TI learnt.</param>
internal sealed record DemoPromptResult(
    DemoPrompt Plan,
    IReadOnlyList<GenerationOutcome> Dti,
    IReadOnlyList<GenerationOutcome> Ti
);
