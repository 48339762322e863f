using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>What the demo did, for its page.</summary>
internal sealed record DemoResult(
    DemoPlan Plan, IReadOnlyList<DemoConceptResult> Concepts, DemoConceptResult Baseline, IReadOnlyList<DemoComparisonResult> Comparisons,
    GenerationOutcome Blend, Model Model, TimeSpan Elapsed);

/// <summary>What the demo did with one concept.</summary>
internal sealed record DemoConceptResult(
    DemoConcept Concept, IReadOnlyList<Photo> Photos, TrainingOutcome Training, IReadOnlyList<GenerationOutcome> Pictures);

/// <summary>One prompt, both ways.</summary>
internal sealed record DemoComparisonResult(GenerationOutcome Dti, GenerationOutcome Ti);
