using System.Diagnostics;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>Trains the demo's concepts, draws with them, and draws what lies between two: over gRPC, as any client would.</summary>
internal sealed class DemoRun(DtiClient client, IOutput output)
{
    public async Task<DemoResult> RunAsync(DemoPlan plan, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var concepts = new List<DemoConceptResult>();
        foreach (var concept in plan.Concepts)
            concepts.Add(await LearnAsync(concept, cancellationToken).ConfigureAwait(false));
        var baseline = await LearnAsync(plan.Baseline, cancellationToken).ConfigureAwait(false);

        var comparisons = new List<DemoComparisonResult>();
        foreach (var (dti, ti) in plan.Comparisons)
            comparisons.Add(new(await DrawAsync(dti, cancellationToken).ConfigureAwait(false), await DrawAsync(ti, cancellationToken).ConfigureAwait(false)));

        var blend = await new GenerationRun(output) { Canceller = client }
            .RunAsync("between them", client.InterpolateAsync(plan.Blend, null, cancellationToken), cancellationToken).ConfigureAwait(false);
        var model = await client.GetModelAsync(blend.Settings.Model, cancellationToken).ConfigureAwait(false);
        return new DemoResult(plan, concepts, baseline, comparisons, blend, model, clock.Elapsed);
    }

    private async Task<DemoConceptResult> LearnAsync(DemoConcept concept, CancellationToken cancellationToken)
    {
        var photos = await PhotoFiles.ReadAsync([concept.PhotoFolder], CaptionFiles.Use, null, cancellationToken).ConfigureAwait(false);
        var training = await new TrainingRun(client, output).RunAsync(
            new TrainRequest
            {
                Name = concept.Name,
                Photos = photos,
                Options = concept.Training,
                Overwrite = true,
                RequestId = Guid.NewGuid().ToString("N"),
            },
            cancellationToken).ConfigureAwait(false);

        var pictures = new List<GenerationOutcome>();
        foreach (var options in concept.Pictures)
            pictures.Add(await DrawAsync(options, cancellationToken).ConfigureAwait(false));
        return new DemoConceptResult(concept, photos, training, pictures);
    }

    private Task<GenerationOutcome> DrawAsync(GenerationOptions options, CancellationToken cancellationToken) =>
        new GenerationRun(output) { Canceller = client }
            .RunAsync(options.Prompt, client.GenerateAsync(options, null, cancellationToken), cancellationToken);
}
