using Dti.Engine.Concepts;
using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.Server.Jobs;
using Dti.Server.Libraries;
using Dti.Server.Mapping;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using GenerationSettings = Dti.Engine.Generation.GenerationSettings;
using Photo = Dti.Engine.Training.Photo;
using TrainingOptions = Dti.V1.TrainingOptions;
using TrainingSettings = Dti.Engine.Training.TrainingSettings;

namespace Dti.Server.Services;

/// <summary>
/// Train, Generate, Interpolate: each checks its request whole, submits a job and streams the job's events.
/// </summary>
internal sealed class DtiGrpcService(
    DtiServerOptions options,
    IJobs jobs,
    ModelLibrary models,
    ModelCache loaded,
    ConceptLibrary library,
    TrainingRuns runs,
    DiskSpace disk,
    CallerQuotas quotas,
    HeavyCalls heavy
) : DtiService.DtiServiceBase
{
    // What a training may change when it goes on; see TrainResume.
    private static readonly HashSet<string> _changeable =
    [
        "steps",
        "preview_every",
        "preview_prompts",
        "preview_steps",
        "preview_baseline",
        "snapshot_every",
    ];

    public override async Task Train(
        TrainRequest request,
        IServerStreamWriter<TrainResponse> responseStream,
        ServerCallContext context
    )
    {
        var (caller, ends) = (Caller.Of(context), StreamGuard.TokenOf(context));
        var (jobId, attached) = await SubmitAsync(request, caller, ends);
        request.Photos.Clear(); // they are on disk: a stream that lasts for hours must not hold them in memory
        context.GetHttpContext().Features.Get<BytesInFlight.Account>()?.Dispose();
        try
        {
            await foreach (var message in jobs.WatchAsync(jobId, caller, 0, ends))
            {
                await responseStream.WriteAsync(Marked((TrainResponse)message, attached), ends);
            }
        }
        finally
        {
            if (request.CancelOnDisconnect)
            {
                await jobs.AbandonAsync(jobId); // the caller went away; a finished job stays as it is
            }
        }
    }

    public override Task Generate(
        GenerateRequest request,
        IServerStreamWriter<GenerateResponse> responseStream,
        ServerCallContext context
    ) => StreamAsync(Accept(request, Caller.Of(context)), responseStream, context);

    public override Task Interpolate(
        InterpolateRequest request,
        IServerStreamWriter<InterpolateResponse> responseStream,
        ServerCallContext context
    ) => StreamAsync(Accept(request, Caller.Of(context)), responseStream, context);

    private async Task StreamAsync<T>(
        JobSubmission submission,
        IServerStreamWriter<T> responseStream,
        ServerCallContext context
    )
        where T : IMessage
    {
        var ends = StreamGuard.TokenOf(context);
        var (jobId, _) = await jobs.SubmitAsync(submission);
        try
        {
            await foreach (var message in jobs.WatchAsync(jobId, submission.Caller, 0, ends))
            {
                await responseStream.WriteAsync((T)message, ends);
            }
        }
        finally
        {
            await jobs.AbandonAsync(jobId); // the caller went away; a finished job stays as it is
        }
    }

    private static TrainResponse Marked(TrainResponse message, bool attached)
    {
        if (!attached || message.EventCase != TrainResponse.EventOneofCase.Accepted)
        {
            return message;
        }

        var marked = message.Clone();
        marked.Accepted.Attached = true;
        return marked;
    }

    private async Task<(string JobId, bool Attached)> SubmitAsync(
        TrainRequest request,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        var asked = request.Clone();
        (asked.RequestId, asked.CancelOnDisconnect) = ("", false);
        var fingerprint = RequestChecks.Fingerprint(asked);
        if (await FindAsync() is { } known)
        {
            return (known, true);
        }

        // What needs no pixels is checked first. Photos are then decoded one at a time, each in a turn of its own.
        var (submission, photos, initializer) = await heavy.RunAsync(
            caller.Id,
            _ => Task.FromResult(Accept(request, fingerprint, caller)),
            cancellationToken
        );
        var checks = new RequestChecks();
        foreach (var (index, photo) in photos.Index())
        {
            var wrong = await heavy.RunAsync(
                caller.Id,
                _ => Task.FromResult(TrainingSet.Check(photo, index, options.ImageLimits, initializer)),
                cancellationToken
            );
            checks.Add(wrong is null ? null : [wrong]);
            if (await FindAsync() is { } submitted)
            {
                return (submitted, true);
            }
        }

        checks.ThrowIfAny();
        return await jobs.SubmitAsync(submission);

        Task<string?> FindAsync() =>
            request.RequestId.Length > 0 && RequestChecks.IsRequestId(request.RequestId)
                ? jobs.FindAsync(caller, request.RequestId, fingerprint)
                : Task.FromResult<string?>(null);
    }

    private (JobSubmission Submission, IReadOnlyList<Photo> Photos, string Initializer) Accept(
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
            settings is null || !IsReadable([.. asked.PreviewPrompts]) ? [] : asked.PreviewPrompts,
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
        loaded.EnsureFits(profile!, target!, settings!, size!);
        disk.EnsureRoom();

        quotas.EnsureRoom(caller);
        concepts.EnsureFree(request.Name, settings!.Placeholder, request.Overwrite || request.Resume is not null);
        runs.EnsureFree(request.Name, caller);
        var message = settings!.ToMessage(asked, asked.HasModel ? asked.Model : models.DefaultName, target!);
        var pinned = request.Clone();
        pinned.Options = asked.Pin(message);
        var submission = new JobSubmission(
            JobKind.Train,
            pinned,
            request.RequestId,
            fingerprint,
            request.Name,
            message.Steps,
            jobId => new TrainResponse
            {
                Accepted = new TrainAccepted
                {
                    JobId = jobId,
                    RequestId = request.RequestId,
                    Name = request.Name,
                    Settings = message,
                    PhotoCount = request.Photos.Count,
                    StepsDone = request.Resume?.FromStep ?? 0,
                },
            }
        )
        {
            Caller = caller,
            Placeholder = settings.Placeholder,
        };
        return (submission, photos, settings!.Initializer);
    }

    /// <summary>
    /// The request that began a training, with what may change when it goes on, and the step of the snapshot that it
    /// goes on from.
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

    private JobSubmission Accept(GenerateRequest request, Caller caller)
    {
        var concepts = library.For(caller);
        var checks = new RequestChecks();
        var asked = request.Options?.Clone() ?? new();
        var readable = IsReadable(asked.Prompt, asked.NegativePrompt);
        if (asked.PromptSyntax != PromptSyntax.Plain && readable)
        {
            asked.Prompt = checks.Try(() => concepts.Spell(asked.Prompt)) ?? asked.Prompt;
            SpellNegative(asked, concepts, checks);
        }

        CheckPicture(checks, asked);
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
        loaded.EnsureFits(profile!, target!, settings!);
        disk.EnsureRoom();

        foreach (var concept in named!)
        {
            profile!.EnsureFits(concepts.Load(concept.Name));
        }

        var message = settings!.ToMessage(
            asked.HasModel ? asked.Model : models.DefaultName,
            target!,
            asked,
            named.Select(concept => concept.Name)
        );
        return new JobSubmission(
            JobKind.Generate,
            new GenerateRequest { Options = asked.Pin(message) },
            "",
            "",
            "",
            message.Steps * message.NumImages,
            jobId => new GenerateResponse
            {
                Accepted = new GenerateAccepted { JobId = jobId, Settings = message },
            }
        )
        {
            Caller = caller,
            Pictures = message.NumImages,
        };
    }

    private JobSubmission Accept(InterpolateRequest request, Caller caller)
    {
        var concepts = library.For(caller);
        request = request.Clone();
        var asked = request.Options ??= new();
        var checks = new RequestChecks();
        var readable = IsReadable(request.Prompt, asked.NegativePrompt);
        if (asked.PromptSyntax != PromptSyntax.Plain && readable)
        {
            if (request.HasPrompt)
            {
                request.Prompt = checks.Try(() => concepts.Spell(request.Prompt)) ?? request.Prompt;
            }

            SpellNegative(asked, concepts, checks);
        }

        CheckPicture(checks, asked);
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
        loaded.EnsureFits(profile!, target!, settings!.Generation);
        disk.EnsureRoom();
        foreach (
            var concept in (Engine.Concepts.ConceptEmbedding[])
                [from!, to!, .. named!.Select(concept => concepts.Load(concept.Name))]
        )
        {
            profile!.EnsureFits(concept);
        }

        var message = settings!.Generation.ToMessage(
            asked.HasModel ? asked.Model : models.DefaultName,
            target!,
            asked,
            [request.FromConcept, request.ToConcept, .. named!.Select(concept => concept.Name)]
        );
        var pinned = request.Clone();
        pinned.Options = asked.Pin(message);
        return new JobSubmission(
            JobKind.Interpolate,
            pinned,
            "",
            "",
            "",
            message.Steps * settings.Frames,
            jobId => new InterpolateResponse
            {
                Accepted = new InterpolateAccepted
                {
                    JobId = jobId,
                    FromConcept = request.FromConcept,
                    ToConcept = request.ToConcept,
                    Frames = settings.Frames,
                    Easing = settings.Easing == Engine.Generation.Easing.Smooth ? Easing.Smooth : Easing.Linear,
                    AnglesDegrees = { settings.AnglesDegrees },
                    Settings = message,
                },
            }
        )
        {
            Caller = caller,
            Pictures = settings.Frames,
        };
    }

    // Longer prompts are refused.
    private static bool IsReadable(params ReadOnlySpan<string> prompts)
    {
        foreach (var prompt in prompts)
        {
            if (prompt.Length > GenerationSettings.MaxPromptLength)
            {
                return false;
            }
        }

        return true;
    }

    private static void SpellNegative(GenerationOptions asked, CallerConcepts concepts, RequestChecks checks)
    {
        if (asked.HasNegativePrompt)
        {
            asked.NegativePrompt = checks.Try(() => concepts.Spell(asked.NegativePrompt)) ?? asked.NegativePrompt;
        }
    }

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

    private static void CheckPicture(RequestChecks checks, GenerationOptions asked)
    {
        checks.Known(asked.HasFormat, asked.Format, "options.format");
        checks.Known(asked.HasPromptSyntax, asked.PromptSyntax, "options.prompt_syntax");
        checks.Known(asked.HasLongPrompts, asked.LongPrompts, "options.long_prompts");
        checks.Require(
            !asked.HasQuality || asked.Quality is >= 1 and <= 100,
            "options.quality",
            $"quality is {asked.Quality}; it must be from 1 to 100."
        );
    }
}
