using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Engine.Runtime;
using Dti.Server.Errors;
using Dti.Server.Libraries;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dti.Server.Services;

internal sealed class ConceptGrpcService(ConceptLibrary concepts, ModelLibrary models) : ConceptService.ConceptServiceBase
{
    public override Task<ConceptServiceListResponse> List(ConceptServiceListRequest request, ServerCallContext context) =>
        Task.FromResult(new ConceptServiceListResponse { Concepts = { concepts.List() } });

    public override Task<ConceptServiceGetResponse> Get(ConceptServiceGetRequest request, ServerCallContext context) =>
        Task.FromResult(new ConceptServiceGetResponse { Concept = concepts.Get(request.Name) });

    public override Task<ConceptServiceInspectResponse> Inspect(ConceptServiceInspectRequest request, ServerCallContext context)
    {
        var concept = concepts.Get(request.Name);
        var nearest = request.HasNumNearest ? request.NumNearest : 8;
        var checks = new RequestChecks();
        checks.Require(nearest is >= 1 and <= 100, "num_nearest", $"num_nearest is {nearest}; it must be from 1 to 100.");
        checks.ThrowIfAny();
        var name = request.HasModel ? request.Model : concept.Model.Length > 0 && models.List().Any(model => model.Name == concept.Model) ? concept.Model : models.DefaultName;
        var initializer = concept.Settings?.Initializer ?? "";
        var found = ConceptInspection.Of(models.Get(name), concepts.Load(request.Name), initializer.Length > 0 ? initializer : null, nearest);
        return Task.FromResult(new ConceptServiceInspectResponse
        {
            Model = name,
            VocabularyNormMin = found.Norms.Min,
            VocabularyNormMean = found.Norms.Mean,
            VocabularyNormMax = found.Norms.Max,
            VocabularyPositionReadability = found.TypicalReadability,
            Initializer = initializer,
            Vectors = { found.Vectors.Select(Message) },
        });
    }

    public override Task<ConceptServiceImportResponse> Import(ConceptServiceImportRequest request, ServerCallContext context)
    {
        var checks = new RequestChecks();
        checks.Require(ConceptNames.IsValid(request.Name), "name", $"name must be {ConceptNames.Rule}.");
        checks.Require(request.Data.Length > 0, "data", "data must be a safetensors file.");
        checks.ThrowIfAny();
        if (concepts.Exists(request.Name) && !request.Overwrite)
        {
            throw RpcErrors.Exists($"There is a concept '{request.Name}' already; choose another name, or ask to overwrite it.", "CONCEPT_EXISTS").ToRpcException();
        }

        var embedding = Read(request.Data, request.Name);
        var family = models.List().FirstOrDefault(model => model.Profile?.Encoders.Select(encoder => encoder.Dimension).SequenceEqual(embedding.Encoders.Select(encoder => encoder.Dimension)) == true)?.Profile?.Family ?? "";
        var concept = concepts.Save(new Concept { Name = request.Name, Family = family }, embedding, default);
        return Task.FromResult(new ConceptServiceImportResponse { Concept = concept });
    }

    public override Task<ConceptServiceExportResponse> Export(ConceptServiceExportRequest request, ServerCallContext context)
    {
        var format = request.Format == ConceptFormat.Webui ? ConceptFileFormat.WebUi : ConceptFileFormat.Diffusers;
        using var file = new MemoryStream();
        ConceptFile.Write(file, concepts.Load(request.Name), format);
        return Task.FromResult(new ConceptServiceExportResponse
        {
            Data = ByteString.CopyFrom(file.GetBuffer().AsSpan(0, (int)file.Length)),
            FileName = $"{request.Name}.safetensors",
        });
    }

    public override Task<ConceptServiceDeleteResponse> Delete(ConceptServiceDeleteRequest request, ServerCallContext context)
    {
        concepts.Delete(request.Name);
        return Task.FromResult(new ConceptServiceDeleteResponse());
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

    /// <summary>A concept's placeholder is its name in the library, whatever the file calls it.</summary>
    private static ConceptEmbedding Read(ByteString data, string name)
    {
        var draft = Path.Combine(Path.GetTempPath(), $"dti-import-{Guid.NewGuid():N}.safetensors");
        try
        {
            AtomicFile.WriteAllBytes(draft, data.Memory);
            return ConceptFile.Read(draft, $"<{name}>");
        }
        catch (DtiException error) when (error.Kind == ErrorKind.FailedPrecondition)
        {
            throw new DtiException(ErrorKind.InvalidArgument, error.Message.Replace(draft, "data", StringComparison.Ordinal), "data", error);
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
