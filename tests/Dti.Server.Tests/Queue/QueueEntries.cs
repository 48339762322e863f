using Dti.Server.Jobs.Grains;
using Dti.V1;

namespace Dti.Server.Tests.Queue;

/// <summary>Entries of a queue for tests.</summary>
internal static class QueueEntries
{
    public static QueueEntry Entry(
        string jobId,
        JobKind kind = JobKind.Train,
        string caller = "anna",
        int steps = 10,
        string name = "",
        string requestId = ""
    ) =>
        new()
        {
            Ticket = new JobTicket
            {
                JobId = jobId,
                Kind = kind,
                Caller = caller,
                TotalSteps = steps,
                Name = name,
                RequestId = requestId,
                Fingerprint = $"of {jobId}",
            },
        };
}
