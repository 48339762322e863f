using Dti.Engine.Runtime.Devices;
using Dti.Server.Configuration;
using Dti.Server.Security;
using Dti.V1;
using Grpc.Core;
using static TorchSharp.torch;

namespace Dti.Server.Services;

internal sealed class ServerGrpcService(ComputeTarget target, DtiServerOptions options, ListeningAddresses listening)
    : ServerService.ServerServiceBase
{
    public override Task<ServerServiceGetResponse> Get(ServerServiceGetRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        return Task.FromResult(
            new ServerServiceGetResponse
            {
                Server = new ServerInfo
                {
                    Version = ServerVersion.Text,
                    Device = target.DeviceName,
                    Dtype = target.DtypeName,
                    Memory = options.Memory,
                    TorchVersion = __version__,
                    Caller = caller.Id,
                    StudioAddress = listening.Studio?.GetLeftPart(UriPartial.Authority) ?? "",
                    Scopes = { ScopeNames.Of(caller.Scopes) },
                },
            }
        );
    }
}
