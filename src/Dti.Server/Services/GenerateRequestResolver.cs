using Dti.Engine.Concepts;
using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.Server.Libraries;
using Dti.Server.Mapping;
using Dti.Server.Security;
using Dti.V1;
using GenerationSettings = Dti.Engine.Generation.GenerationSettings;

namespace Dti.Server.Services;

/// <summary>Resolves a request to generate: from its options to a job with every setting filled in.</summary>
internal sealed class GenerateRequestResolver(
    DtiServerOptions options,
    ModelLibrary models,
    JobPlacement placement,
    ConceptLibrary library,
    DiskSpace disk
)
{
    /// <summary>Checks a request and resolves its settings.</summary>
    /// <exception cref="Dti.Engine.DtiException">The request cannot be accepted.</exception>
    public JobSubmission Resolve(GenerateRequest request, Caller caller)
    {
        var concepts = library.For(caller);
        var checks = new RequestChecks();
        var asked = request.Options?.Clone() ?? new();
        var readable = GenerationRequestChecks.IsReadable(asked.Prompt, asked.NegativePrompt);
        if (asked.PromptSyntax != PromptSyntax.Plain && readable)
        {
            asked.Prompt = checks.Try(() => concepts.ReplaceEmbeddings(asked.Prompt)) ?? asked.Prompt;
            checks.ReplaceEmbeddings(asked, concepts);
        }

        checks.CheckPicture(asked);
        var profile = checks.Try(() => models.Get(asked.HasModel ? asked.Model : null, asked.Vae));
        var target = checks.Target(options, asked.HasDtype, asked.Dtype);
        var settings = profile is null
            ? null
            : checks.Try(
                () => GenerationSettings.Resolve(asked.ToEngine(), profile, RequestChecks.NewSeed),
                "options."
            );
        checks.Add(settings is null ? null : options.Limits.Check(settings));
        var named = readable ? checks.Try(() => concepts.NamedIn(asked.Prompt, asked.NegativePrompt)) : null;
        checks.ThrowIfAny();
        var model = models.NameOrDefault(asked.Model);
        var requirements = placement.Require(model, asked.Vae, profile!, target!, settings!);
        disk.EnsureRoom();

        foreach (var concept in named!)
        {
            profile!.EnsureFits(concepts.Load(concept.Name));
        }

        var message = settings!.ToMessage(model, target!, asked, named.Select(concept => concept.Name));
        var ticket = JobTicket.New(JobKind.Generate, caller) with
        {
            TotalSteps = message.Steps * message.NumImages,
            Pictures = message.NumImages,
            Requirements = requirements,
        };
        return new JobSubmission(
            ticket,
            new GenerateRequest { Options = asked.Pin(message) },
            new GenerateResponse
            {
                Accepted = new GenerateAccepted { JobId = ticket.JobId, Settings = message },
            }
        );
    }
}
