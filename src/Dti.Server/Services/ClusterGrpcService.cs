using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Services;

internal sealed class ClusterGrpcService(JobSilo silo) : ClusterService.ClusterServiceBase
{
    public override async Task<ClusterServiceGetResponse> Get(
        ClusterServiceGetRequest request,
        ServerCallContext context
    ) => new() { Hosts = { (await (await silo.QueueAsync()).HostsAsync()).Select(Host) } };

    private static ClusterHost Host(HostView view) =>
        new()
        {
            Name = view.Announcement.Host,
            Role = view.Announcement.Role,
            Version = view.Announcement.Version,
            Address = $"{view.Announcement.Silo.Endpoint}",
            Devices = { view.Announcement.Devices.Select(device => Device(device, view.Jobs)) },
            Models =
            {
                view.Announcement.Models.Select(model => new ClusterModel
                {
                    Name = model.Name,
                    Loaded = model.IsLoaded,
                }),
            },
        };

    private static ClusterDevice Device(AnnouncedDevice device, IEnumerable<RunningJob> jobs) =>
        new()
        {
            Name = device.Name,
            Dtype = device.Dtype,
            MemoryBytes = device.MemoryBytes,
            JobMemoryBytes = device.JobBytes,
            FreeMemoryBytes = device.FreeBytes,
            Jobs =
            {
                jobs.Where(job => job.Device == device.Name)
                    .Select(job => new ClusterJob
                    {
                        JobId = job.JobId,
                        Kind = job.Kind,
                        Step = job.Step,
                        TotalSteps = job.TotalSteps,
                    }),
            },
        };
}
