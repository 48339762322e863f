using Dti.Engine;
using Dti.Engine.Checkpoints;
using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Files;
using Dti.Server.Errors;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Storage;
using Dti.Server.Libraries;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dti.Server.Services;

internal sealed class ConceptGrpcService(
    IJobs jobs,
    ConceptLibrary library,
    TrainingRuns runs,
    ModelLibrary models,
    LibraryFolders folders,
    DiskSpace disk,
    CallerQuotas quotas,
    HeavyCalls heavy,
    JobFolder drafts
) : ConceptService.ConceptServiceBase
{
    private const int MaxIgnoredTensors = 20; // of a file's names, which may be a LoRA's thousands

    public override Task<ConceptServiceListResponse> List(
        ConceptServiceListRequest request,
        ServerCallContext context
    ) => Task.FromResult(ConceptPages.Of(library.For(Caller.Of(context)).List(), request.PageSize, request.PageToken));

    public override Task<ConceptServiceGetResponse> Get(ConceptServiceGetRequest request, ServerCallContext context) =>
        Task.FromResult(new ConceptServiceGetResponse { Concept = library.For(Caller.Of(context)).Get(request.Name) });

    public override async Task<ConceptServiceInspectResponse> Inspect(
        ConceptServiceInspectRequest request,
        ServerCallContext context
    )
    {
        var concepts = library.For(Caller.Of(context));
        var concept = concepts.Get(request.Name);
        var nearest = request.HasNumNearest ? request.NumNearest : 8;
        var checks = new RequestChecks();
        checks.Require(
            nearest is >= 1 and <= 100,
            "num_nearest",
            $"num_nearest is {nearest}; it must be from 1 to 100."
        );
        checks.ThrowIfAny();
        var name =
            request.HasModel ? request.Model
            : concept.Model.Length > 0 && models.List().Any(model => model.Name == concept.Model) ? concept.Model
            : models.DefaultName;
        var initializer = concept.Settings?.Initializer ?? "";
        var (profile, vectors) = (models.Get(name), concepts.Load(request.Name));
        var found = await heavy.RunAsync(
            Caller.Of(context).Id,
            ends =>
                Task.FromResult(
                    ConceptInspection.Of(profile, vectors, initializer.Length > 0 ? initializer : null, nearest, ends)
                ),
            context.CancellationToken
        );
        return new ConceptServiceInspectResponse
        {
            Model = name,
            VocabularyNormMin = found.Norms.Min,
            VocabularyNormMean = found.Norms.Mean,
            VocabularyNormMax = found.Norms.Max,
            VocabularyPositionReadability = found.TypicalReadability,
            Initializer = initializer,
            Vectors = { found.Vectors.Select(Message) },
        };
    }

    public override async Task<ConceptServiceImportResponse> Import(
        ConceptServiceImportRequest request,
        ServerCallContext context
    )
    {
        var caller = Caller.Of(context);
        var concepts = library.For(caller);
        var checks = new RequestChecks();
        checks.Require(ConceptNames.IsValid(request.Name), "name", $"name must be {ConceptNames.Rule}.");
        checks.Require(request.Data.Length > 0, "data", "data must be a safetensors file.");
        checks.ThrowIfAny();
        disk.EnsureRoom();
        quotas.EnsureRoom(caller);
        concepts.EnsureFree(request.Name, "", request.Overwrite);
        runs.EnsureFree(request.Name, caller);
        await jobs.EnsureUntrainedAsync(request.Name, "", caller);

        var (embedding, concept) = Read(request.Data, request.Name, "data", drafts);
        if (request.SecondData.Length > 0)
        {
            var (second, told) = Read(request.SecondData, request.Name, "second_data", drafts);
            embedding = Join(embedding, second);
            concept.IgnoredTensors.AddRange(told.IgnoredTensors);
        }

        var profile = ModelFor(embedding, request.HasModel ? request.Model : null);
        var family = profile?.Family
            ?? embedding.PublishedFamily
            ?? throw new DtiException(
                ErrorKind.InvalidArgument,
                $"data holds vectors of width {string.Join(" + ", embedding.Dimensions)}: Stable Diffusion 1.x takes 768, 2.x 1024, XL 768 + 1280, SANA 2304, and no model here takes others.",
                "data"
            );
        if (request.Rescale)
        {
            embedding = embedding.Rescaled(
                profile
                    ?? throw new DtiException(
                        ErrorKind.FailedPrecondition,
                        $"To rescale vectors of width {string.Join(" + ", embedding.Dimensions)}, a model of the family "
                            + $"{family} with these widths is needed: its vocabulary gives the norm. The server has none."
                    )
            );
        }

        (concept.Name, concept.Family) = (request.Name, family);
        var saved = concepts.Save(concept, embedding, default, default, request.Overwrite, () =>
            quotas.EnsureRoom(caller)
        ); // now nobody else saves
        runs.Delete(request.Name, caller); // what was learnt under this name is no more
        return new ConceptServiceImportResponse { Concept = saved };
    }

    public override Task<ConceptServiceExportResponse> Export(
        ConceptServiceExportRequest request,
        ServerCallContext context
    )
    {
        var concepts = library.For(Caller.Of(context));
        var format = request.Format == ConceptFormat.Webui ? ConceptFileFormat.WebUi : ConceptFileFormat.Diffusers;
        using var file = new MemoryStream();
        var (vectors, concept) = concepts.Load(request.Name, request.Version);
        ConceptFile.Write(file, vectors, format, ConceptMetadata.Of(concept));
        return Task.FromResult(
            new ConceptServiceExportResponse
            {
                Data = ByteString.CopyFrom(file.GetBuffer().AsSpan(0, (int)file.Length)),
                FileName = $"{request.Name}.safetensors",
            }
        );
    }

    public override Task<ConceptServiceInstallResponse> Install(
        ConceptServiceInstallRequest request,
        ServerCallContext context
    )
    {
        var concepts = library.For(Caller.Of(context));
        var concept = concepts.Get(request.Name);
        var folder = folders.Embeddings.FirstOrDefault(Directory.Exists)
            ?? throw new DtiException(
                ErrorKind.FailedPrecondition,
                "The server knows no embeddings folder: name ComfyUI's folder among its models when you start it."
            );
        var path = Path.Combine(folder, $"{concept.Name}.safetensors");
        var embedding = concepts.Load(concept.Name);
        EnsureOfUseInComfyUI(concept, embedding);
        using var alone = library.Enter();
        if (File.Exists(path) && !request.Overwrite)
        {
            throw Refusals.AlreadyExists(
                $"There is a file {path} already; ask to overwrite it, or delete it.",
                "FILE_EXISTS"
            );
        }

        ConceptFile.Write(path, embedding, ConceptFileFormat.WebUi, ConceptMetadata.Of(concept));
        return Task.FromResult(new ConceptServiceInstallResponse { Path = path });
    }

    public override Task<ConceptServiceListVersionsResponse> ListVersions(
        ConceptServiceListVersionsRequest request,
        ServerCallContext context
    ) =>
        Task.FromResult(
            new ConceptServiceListVersionsResponse
            {
                Concepts = { library.For(Caller.Of(context)).Versions(request.Name) },
            }
        );

    public override Task<ConceptServiceRestoreResponse> Restore(
        ConceptServiceRestoreRequest request,
        ServerCallContext context
    )
    {
        var caller = Caller.Of(context);
        disk.EnsureRoom();
        return Task.FromResult(
            new ConceptServiceRestoreResponse
            {
                Concept = library.For(caller).Restore(request.Name, request.Version, () => quotas.EnsureRoom(caller)),
            }
        );
    }

    public override async Task<ConceptServiceDeleteResponse> Delete(
        ConceptServiceDeleteRequest request,
        ServerCallContext context
    )
    {
        var (caller, concepts) = (Caller.Of(context), library.For(Caller.Of(context)));
        concepts.Get(request.Name); // who may not see it hears nothing of its training
        await jobs.EnsureUntrainedAsync(request.Name, "", caller);
        concepts.Delete(request.Name);
        runs.Delete(request.Name, caller);
        return new ConceptServiceDeleteResponse();
    }

    /// <summary>
    /// A concept has the widths of a published family of models, or fits a model that is not for trials alone.
    /// </summary>
    private void EnsureOfUseInComfyUI(Concept concept, ConceptEmbedding embedding)
    {
        if (
            embedding.PublishedFamily is null
            && !models.List().Any(entry => entry.Profile is { Domain: null } profile && profile.Fits(embedding))
        )
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"ComfyUI has no model for '{concept.Name}', whose vectors are {string.Join(" and ", embedding.Dimensions)} "
                    + "wide: Stable Diffusion 1.x takes 768, 2.x 1024, XL 768 and 1280. Train it with such a model (--model)."
            );
        }
    }

    /// <summary>
    /// The model that was asked for, which has to fit; else one that does: the default one first. Null: none does.
    /// </summary>
    private ModelProfile? ModelFor(ConceptEmbedding embedding, string? asked)
    {
        if (asked is not null)
        {
            var profile = models.Get(asked);
            profile.EnsureFits(embedding);
            return profile;
        }

        var standard = models.DefaultName;
        return models
            .List()
            .OrderBy(entry => entry.Name != standard)
            .Select(entry => entry.Profile)
            .FirstOrDefault(profile => profile?.Fits(embedding) == true);
    }

    private static InspectedVector Message(VectorInspection vector)
    {
        var message = new InspectedVector
        {
            Norm = vector.Norm,
            PositionReadability = vector.PositionReadability,
            Encoder = vector.Encoder,
            Nearest = { vector.Nearest.Select(near => new V1.NearToken { Token = near.Token, Cosine = near.Cosine }) },
        };
        if (vector.AngleDegrees is { } angle)
        {
            message.AngleDegrees = angle;
        }

        return message;
    }

    /// <summary>Two files of one text encoder each, as one concept for both.</summary>
    private static ConceptEmbedding Join(ConceptEmbedding first, ConceptEmbedding second) =>
        first.Encoders is [var one] && second.Encoders is [var other] && one.Count == other.Count
            ? first with
            {
                Encoders = [one, other],
            }
            : throw new DtiException(
                ErrorKind.InvalidArgument,
                $"second_data must hold as many vectors for the second text encoder as data does for the first: they hold {Vectors(second)} and {Vectors(first)}.",
                "second_data"
            );

    private static string Vectors(ConceptEmbedding concept) =>
        string.Join(" + ", concept.Encoders.Select(encoder => encoder.Count));

    /// <summary>A concept's placeholder is its name in the library, whatever the file calls it.</summary>
    private static (ConceptEmbedding Embedding, Concept Told) Read(
        ByteString data,
        string name,
        string field,
        JobFolder drafts
    )
    {
        var draft = drafts.NewDraft();
        try
        {
            AtomicFile.WriteAllBytes(draft, data.Memory, files: drafts.Files);
            using var file = SafetensorsFile.Open(draft);
            var embedding = ConceptFile.Read(file, $"<{name}>", out var ignored);
            var told = ConceptMetadata.Read(file.Metadata);
            told.IgnoredTensors.AddRange(ignored.Take(MaxIgnoredTensors));
            return (embedding, told);
        }
        catch (DtiException error) when (error.Kind == ErrorKind.FailedPrecondition)
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                error.Message.Replace(draft, field, StringComparison.Ordinal),
                field,
                error
            );
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
