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
        var family = models.List().FirstOrDefault(model => model.Profile?.EmbeddingDimension == embedding.Encoders[0].Dimension)?.Profile?.Family ?? "";
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
