using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>What the demo did, for its page.</summary>
internal sealed record DemoResult(
    DemoPlan Plan, IReadOnlyList<DemoConceptResult> Concepts, GenerationOutcome Blend, Model Model, string DataFolder, TimeSpan Elapsed);

/// <summary>What the demo did with one concept.</summary>
internal sealed record DemoConceptResult(
    DemoConcept Concept, IReadOnlyList<Photo> Photos, TrainingOutcome Training, IReadOnlyList<GenerationOutcome> Pictures);
