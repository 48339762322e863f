using Dti.Engine.Concepts;
using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.Server.Libraries;
using Dti.Server.Mapping;
using Dti.Server.Security;
using Dti.V1;

namespace Dti.Server.Services;

/// <summary>Resolves a request to interpolate: from its options to a job with every setting filled in.</summary>
internal sealed class InterpolateRequestResolver(
    DtiServerOptions options,
    ModelLibrary models,
    JobPlacement placement,
    ConceptLibrary library,
    DiskSpace disk
)
{
    /// <summary>Checks a request and resolves its settings.</summary>
    /// <exception cref="Dti.Engine.DtiException">The request cannot be accepted.</exception>
    public JobSubmission Resolve(InterpolateRequest request, Caller caller)
    {
        var concepts = library.For(caller);
        request = request.Clone();
        var asked = request.Options ??= new();
        var checks = new RequestChecks();
        var readable = GenerationRequestChecks.IsReadable(request.Prompt, asked.NegativePrompt);
        if (asked.PromptSyntax != PromptSyntax.Plain && readable)
        {
            if (request.HasPrompt)
            {
                request.Prompt = checks.Try(() => concepts.ReplaceEmbeddings(request.Prompt)) ?? request.Prompt;
            }

            checks.ReplaceEmbeddings(asked, concepts);
        }

        checks.CheckPicture(asked);
        checks.Known(request.HasEasing, request.Easing, "easing");
        checks.Require(request.FromConcept.Length > 0, "from_concept", "from_concept must name a concept.");
        checks.Require(request.ToConcept.Length > 0, "to_concept", "to_concept must name a concept.");
        var profile = checks.Try(() => models.Get(asked.HasModel ? asked.Model : null, asked.Vae));
        var target = checks.Target(options, asked.HasDtype, asked.Dtype);
        var from = checks.Try(() => concepts.Load(request.FromConcept));
        var to = checks.Try(() => concepts.Load(request.ToConcept));
        var settings =
            profile is null || from is null || to is null
                ? null
                : checks.Try(
                    () => request.Resolve(from, to, profile, RequestChecks.NewSeed),
                    "options.",
                    "frames",
                    "prompt"
                );
        checks.Add(settings is null ? null : options.Limits.Check(settings.Generation, settings.Frames));
        var named = readable ? checks.Try(() => concepts.NamedIn(request.Prompt, asked.NegativePrompt)) : null;
        checks.ThrowIfAny();
        var model = models.NameOrDefault(asked.Model);
        var requirements = placement.Require(model, asked.Vae, profile!, target!, settings!.Generation);
        disk.EnsureRoom();
        foreach (
            var concept in (Engine.Concepts.ConceptEmbedding[])
                [from!, to!, .. named!.Select(concept => concepts.Load(concept.Name))]
        )
        {
            profile!.EnsureFits(concept);
        }

        var message = settings!.Generation.ToMessage(
            model,
            target!,
            asked,
            [request.FromConcept, request.ToConcept, .. named!.Select(concept => concept.Name)]
        );
        var pinned = request.Clone();
        pinned.Options = asked.Pin(message);
        var ticket = JobTicket.New(JobKind.Interpolate, caller) with
        {
            TotalSteps = message.Steps * settings.Frames,
            Pictures = settings.Frames,
            Requirements = requirements,
        };
        return new JobSubmission(
            ticket,
            pinned,
            new InterpolateResponse
            {
                Accepted = new InterpolateAccepted
                {
                    JobId = ticket.JobId,
                    FromConcept = request.FromConcept,
                    ToConcept = request.ToConcept,
                    Frames = settings.Frames,
                    Easing = settings.Easing == Engine.Generation.Easing.Smooth ? Easing.Smooth : Easing.Linear,
                    AnglesDegrees = { settings.AnglesDegrees },
                    Settings = message,
                },
            }
        );
    }
}
