using System.Diagnostics;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>Sends the demo's requests over gRPC, as any client would.</summary>
/// <param name="client">The server.</param>
/// <param name="output">Where progress is shown.</param>
/// <param name="clock">Started when the command was.</param>
internal sealed class DemoRun(DtiClient client, IOutput output, Stopwatch clock)
{
    // The demo's subjects lie within the model's domain.
    private static readonly HashSet<string> _expectedWarnings = ["MODEL_DOMAIN"];

    public async Task<DemoResult> RunAsync(DemoPlan plan, CancellationToken cancellationToken)
    {
        var duels = new List<DemoDuelResult>();
        foreach (var duel in plan.Duels)
            duels.Add(await DuelAsync(duel, cancellationToken).ConfigureAwait(false));

        var blend = await new GenerationRun(output) { Canceller = client }
            .RunAsync("between them", client.InterpolateAsync(plan.Blend, null, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        var model = await client.GetModelAsync(blend.Settings.Model, cancellationToken).ConfigureAwait(false);
        return new DemoResult(plan, duels, blend, model, clock.Elapsed);
    }

    private async Task<DemoDuelResult> DuelAsync(DemoDuel duel, CancellationToken cancellationToken)
    {
        var photos = await PhotoFiles
            .ReadAsync([duel.Dti.PhotoFolder], CaptionFiles.Use, null, output, cancellationToken)
            .ConfigureAwait(false);
        var dti = await TrainAsync(duel.Dti, photos, cancellationToken).ConfigureAwait(false);
        var ti = await TrainAsync(duel.Ti, photos, cancellationToken).ConfigureAwait(false);

        var prompts = new List<DemoPromptResult>();
        foreach (var prompt in duel.Prompts)
        {
            prompts.Add(
                new DemoPromptResult(
                    prompt,
                    await GenerateAsync(prompt.Dti, cancellationToken).ConfigureAwait(false),
                    await GenerateAsync(prompt.Ti, cancellationToken).ConfigureAwait(false)
                )
            );
        }

        return new DemoDuelResult(duel, photos, dti, ti, prompts);
    }

    private Task<TrainingOutcome> TrainAsync(
        DemoConcept concept,
        IReadOnlyList<Photo> photos,
        CancellationToken cancellationToken
    ) =>
        new TrainingRun(client, output) { ExpectedWarnings = _expectedWarnings }.RunAsync(
            new TrainRequest
            {
                Name = concept.Name,
                Photos = photos,
                Options = concept.Training,
                Overwrite = true,
                RequestId = Guid.NewGuid().ToString("N"),
            },
            cancellationToken
        );

    private async Task<IReadOnlyList<GenerationOutcome>> GenerateAsync(
        IReadOnlyList<GenerationOptions> images,
        CancellationToken cancellationToken
    )
    {
        var outcomes = new List<GenerationOutcome>();
        foreach (var options in images)
        {
            outcomes.Add(
                await new GenerationRun(output) { Canceller = client }
                    .RunAsync(options.Prompt, client.GenerateAsync(options, null, cancellationToken), cancellationToken)
                    .ConfigureAwait(false)
            );
        }

        return outcomes;
    }
}
