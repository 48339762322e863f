using Dti.Server.Libraries;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Services;

internal sealed class ModelGrpcService(ModelLibrary models, LoadedModels loaded) : ModelService.ModelServiceBase
{
    public override Task<ModelServiceListResponse> List(ModelServiceListRequest request, ServerCallContext context)
    {
        var standard = models.DefaultName;
        return Task.FromResult(new ModelServiceListResponse { Models = { models.List().Select(entry => ToMessage(entry, standard)) } });
    }

    public override Task<ModelServiceGetResponse> Get(ModelServiceGetRequest request, ServerCallContext context) =>
        Task.FromResult(new ModelServiceGetResponse { Model = ToMessage(models.Find(request.Name), models.DefaultName) });

    private Model ToMessage(ModelEntry entry, string standard) => new()
    {
        Name = entry.Name,
        Family = entry.Profile?.Family ?? "",
        Resolution = entry.Profile?.Resolution ?? 0,
        EmbeddingDimension = entry.Profile?.EmbeddingDimension ?? 0,
        IsDefault = entry.Name == standard,
        Problem = entry.Problem,
        SizeBytes = entry.Profile?.SizeBytes ?? 0,
        Loaded = loaded.Holds(entry.Profile),
    };
}
