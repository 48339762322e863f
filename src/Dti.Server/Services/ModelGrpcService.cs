using Dti.Server.Libraries;
using Dti.Server.Security;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Services;

internal sealed class ModelGrpcService(ModelLibrary models, VaeLibrary vaes, ModelCache loaded, ServerPaths paths)
    : ModelService.ModelServiceBase
{
    public override Task<ModelServiceListResponse> List(ModelServiceListRequest request, ServerCallContext context)
    {
        var standard = models.DefaultName;
        return Task.FromResult(
            new ModelServiceListResponse
            {
                Models = { models.List().Select(entry => ToMessage(entry, standard)) },
                MemoryBudgetBytes = loaded.BudgetBytes,
                Vaes = { vaes.Names },
            }
        );
    }

    public override Task<ModelServiceGetResponse> Get(ModelServiceGetRequest request, ServerCallContext context) =>
        Task.FromResult(
            new ModelServiceGetResponse { Model = ToMessage(models.Find(request.Name), models.DefaultName) }
        );

    private Model ToMessage(ModelEntry entry, string standard)
    {
        var message = new Model
        {
            Name = entry.Name,
            IsDefault = entry.Name == standard,
            Problem = paths.Hide(entry.Problem),
            Path = entry.RelativePath,
        };
        if (entry.Profile is { } profile)
        {
            message.Family = profile.Family;
            message.Resolution = profile.Resolution;
            message.EmbeddingDimension = profile.EmbeddingDimension;
            message.SizeBytes = profile.SizeBytes;
            message.Dtype = profile.StoredDtype;
            message.Loaded = loaded.Holds(profile);
            message.MemoryBytes = loaded.MemoryBytes(profile);
            message.Fits = !entry.IsHere || message.MemoryBytes <= loaded.BudgetBytes;
        }

        return message;
    }
}
