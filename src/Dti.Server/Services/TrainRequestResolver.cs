using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.Server.Libraries;
using Dti.Server.Mapping;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf.Reflection;
using Photo = Dti.Engine.Training.Photo;
using TrainingOptions = Dti.V1.TrainingOptions;
using TrainingSettings = Dti.Engine.Training.TrainingSettings;

namespace Dti.Server.Services;

/// <summary>Resolves a request to train: from its options to a job with every setting filled in.</summary>
internal sealed class TrainRequestResolver(
    DtiServerOptions options,
    ModelLibrary models,
    JobPlacement placement,
    ConceptLibrary library,
    TrainingRuns runs,
    DiskSpace disk,
    CallerQuotas quotas
)
{
    // What a training may change when it continues; see TrainResume.
    private static readonly HashSet<string> _changeable =
    [
        "steps",
        "preview_every",
        "preview_prompts",
        "preview_steps",
        "preview_baseline",
        "snapshot_every",
    ];

    /// <summary>Checks a request without decoding its photos, and resolves its settings.</summary>
    /// <param name="request">The request.</param>
    /// <param name="fingerprint">Its fingerprint.</param>
    /// <param name="caller">Whose it is.</param>
    /// <returns>The job, its photos, and the word that the photos' captions are checked against.</returns>
    /// <exception cref="Dti.Engine.DtiException">The request cannot be accepted.</exception>
    public (JobSubmission Submission, IReadOnlyList<Photo> Photos, string Initializer) Resolve(
        TrainRequest request,
        string fingerprint,
        Caller caller
    )
    {
        var concepts = library.For(caller);
        var checks = new RequestChecks();
        checks.Require(
            RequestChecks.IsRequestId(request.RequestId),
            "request_id",
            "request_id must be at most 64 letters, digits, '-' or '_'."
        );
        checks.Require(ConceptNames.IsValid(request.Name), "name", $"name must be {ConceptNames.Rule}.");
        if (request.Resume is not null)
        {
            checks.ThrowIfAny();
            request = Resumed(request, checks, caller);
        }

        var asked = request.Options ?? new();
        checks.Known(asked.HasPreset, asked.Preset, "options.preset");
        checks.Known(asked.HasTextEncoders, asked.TextEncoders, "options.text_encoders");
        checks.Known(asked.HasKind, asked.Kind, "options.kind");
        checks.Known(asked.HasMethod, asked.Method, "options.method");
        checks.Known(asked.HasMagnitude, asked.Magnitude, "options.magnitude");
        checks.Known(asked.HasLearningRateSchedule, asked.LearningRateSchedule, "options.learning_rate_schedule");
        checks.Known(asked.HasStart, asked.Start, "options.start");
        checks.Known(asked.HasKappaSchedule, asked.KappaSchedule, "options.kappa_schedule");
        var profile = checks.Try(() => models.Get(asked.HasModel ? asked.Model : null, asked.Vae));
        var target = checks.Target(options, asked.HasDtype, asked.Dtype);
        var start =
            request.Resume is not null ? runs.Start(request.Name)
            : asked.HasStartConcept ? checks.Try(() => concepts.Load(asked.StartConcept))
            : null;
        var settings =
            profile is null || (asked.HasStartConcept && start is null)
                ? null
                : checks.Try(
                    () => TrainingSettings.Resolve(asked.ToEngine(start), request.Name, profile, RequestChecks.NewSeed),
                    "options."
                );
        checks.Add(settings is null ? null : options.Limits.Check(settings, request.Photos.Count));
        CheckPreviewPrompts(
            checks,
            settings is null || !GenerationRequestChecks.IsReadable([.. asked.PreviewPrompts])
                ? []
                : asked.PreviewPrompts,
            settings?.Placeholder ?? ""
        );
        var photos = request.ToPhotos(settings);
        var size = checks.Try(() =>
            TrainingSet.Measure(photos, settings?.Resolution ?? 64, options.ImageLimits, settings?.UseAlpha ?? false)
        );
        checks.Add(settings is null || size is null ? null : options.Limits.Check(size, settings.Resolution));
        checks.Require(
            request.Resume is null || settings is null || request.Resume.FromStep < settings.Steps,
            "options.steps",
            $"{request.Resume?.FromStep} steps are done already; ask for more to train further."
        );
        checks.ThrowIfAny();
        var model = models.NameOrDefault(asked.Model);
        var requirements = placement.Require(model, asked.Vae, profile!, target!, settings!, size!);
        disk.EnsureRoom();

        quotas.EnsureRoom(caller);
        concepts.EnsureFree(request.Name, settings!.Placeholder, request.Overwrite || request.Resume is not null);
        runs.EnsureFree(request.Name, caller);
        var message = settings!.ToMessage(asked, model, target!);
        var pinned = request.Clone();
        pinned.Options = asked.Pin(message, settings!);
        var ticket = JobTicket.New(JobKind.Train, caller) with
        {
            RequestId = request.RequestId,
            Fingerprint = fingerprint,
            Name = request.Name,
            Placeholder = settings.Placeholder,
            TotalSteps = message.Steps,
            Requirements = requirements,
        };
        var submission = new JobSubmission(
            ticket,
            pinned,
            new TrainResponse
            {
                Accepted = new TrainAccepted
                {
                    JobId = ticket.JobId,
                    RequestId = request.RequestId,
                    Name = request.Name,
                    Settings = message,
                    PhotoCount = request.Photos.Count,
                    StepsDone = request.Resume?.FromStep ?? 0,
                },
            }
        );
        return (submission, photos, settings.Initializer);
    }

    /// <summary>
    /// The request that began a training, with what may change when it continues, and the step of the snapshot that it
    /// continues from.
    /// </summary>
    private TrainRequest Resumed(TrainRequest request, RequestChecks checks, Caller caller)
    {
        var begun = runs.Request(request.Name, caller);
        var changed = request.Options ?? new();
        checks.Require(
            request.Photos.Count == 0,
            "photos",
            "photos must be empty: a training goes on with those it was begun with."
        );
        foreach (
            var field in TrainingOptions
                .Descriptor.Fields.InFieldNumberOrder()
                .Where(field => !_changeable.Contains(field.Name) && IsSet(field, changed))
        )
        {
            checks.Require(
                false,
                $"options.{field.Name}",
                $"{field.Name} must not be set: a training goes on with the settings it was begun with."
            );
        }

        var kept = runs.Steps(request.Name);
        var step =
            request.Resume.HasFromStep ? request.Resume.FromStep
            : kept.Count > 0 ? kept[^1]
            : 0;
        checks.Require(
            kept.Contains(step),
            "resume.from_step",
            kept.Count == 0
                ? $"No step of the training of '{request.Name}' was done; begin it again."
                : $"There is no snapshot of step {step}; kept are {string.Join(", ", kept)}."
        );
        if (changed.PreviewPrompts.Count > 0)
        {
            begun.Options.PreviewPrompts.Clear(); // merging would add to them
        }

        begun.Options.MergeFrom(changed);
        (begun.RequestId, begun.CancelOnDisconnect, begun.Overwrite) = (
            request.RequestId,
            request.CancelOnDisconnect,
            true
        );
        begun.Resume = new TrainResume { FromStep = step };
        return begun;
    }

    private static bool IsSet(FieldDescriptor field, TrainingOptions options) =>
        field.IsRepeated
            ? ((System.Collections.IList)field.Accessor.GetValue(options)).Count > 0
            : field.Accessor.HasValue(options);

    /// <summary>
    /// Previews show the concept that is learnt, and no other: a prompt that names one would be read as words.
    /// </summary>
    private static void CheckPreviewPrompts(RequestChecks checks, IEnumerable<string> prompts, string placeholder)
    {
        foreach (var (index, prompt) in prompts.Index())
        {
            var other = ConceptNames
                .In(prompt)
                .FirstOrDefault(token => !string.Equals(token, placeholder, StringComparison.OrdinalIgnoreCase))
                ?? ConceptNames.EmbeddingIn(prompt);
            checks.Require(
                other is null,
                $"options.preview_prompts[{index}]",
                $"preview_prompts[{index}] names '{other}'. Previews show only the concept in training: write {{concept}} for it, or leave the other name out."
            );
        }
    }
}
