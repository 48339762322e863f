using Grpc.Net.Client;

namespace Dti.ClientSdk.Internal;

/// <summary>The services of a server, over one channel.</summary>
internal sealed class Services(GrpcChannel channel)
{
    public GrpcChannel Channel { get; } = channel;

    public V1.DtiService.DtiServiceClient Dti { get; } = new(channel);

    public V1.JobService.JobServiceClient Jobs { get; } = new(channel);

    public V1.ConceptService.ConceptServiceClient Concepts { get; } = new(channel);

    public V1.ModelService.ModelServiceClient Models { get; } = new(channel);

    public V1.ClusterService.ClusterServiceClient Cluster { get; } = new(channel);

    public V1.ServerService.ServerServiceClient Server { get; } = new(channel);
}
