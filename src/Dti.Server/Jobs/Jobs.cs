using System.Runtime.CompilerServices;
using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Jobs.Grains;
using Dti.Server.Jobs.Storage;
using Dti.Server.Security;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Jobs;

/// <summary>Jobs as grains: from a call to the queue, and from a job's log back to the caller.</summary>
internal sealed class Jobs(JobSilo silo, JobFolder folder, JobFeeds feeds, ServerPaths paths, TimeProvider time) : IJobs
{
    public async Task<(string JobId, bool Attached)> SubmitAsync(JobSubmission submission)
    {
        if (feeds.IsStopped)
        {
            throw Refusals.ServerStopping();
        }

        var jobId = submission.Ticket.JobId;
        await folder.CreateAsync(jobId, submission.Request, submission.Accepted);
        Submitted answer;
        try
        {
            answer = await (await silo.QueueAsync()).SubmitAsync(submission.Ticket with { Created = time.GetUtcNow() });
        }
        catch
        {
            await ForgetAsync(jobId);
            throw;
        }

        if (answer.JobId != jobId)
        {
            folder.Delete(jobId);
        }

        return (IdOf(answer)!, answer.Attached);
    }

    /// <summary>
    /// A job whose submission failed, so that its caller heard of none: it is cancelled if the queue has it, and leaves
    /// no photos.
    /// </summary>
    private async Task ForgetAsync(string jobId)
    {
        try
        {
            if (folder.IsShared)
            {
                // its turn comes after the submission's, which the queue of another host may still be working on
                await (await silo.QueueAsync()).WithdrawAsync(jobId);
            }

            if (await IsKnownAsync(jobId))
            {
                await CancelAsync(jobId);
                return;
            }
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // The queue cannot say whether it has it. Nobody knows its id. In a cluster it may have it nevertheless,
            // and a host removes the folder later if it has not.
            if (folder.IsShared)
            {
                return;
            }
        }

        folder.Delete(jobId);
    }

    private async Task<bool> IsKnownAsync(string jobId) =>
        folder.IsShared ? (await (await silo.JobAsync(jobId)).GetAsync()).Ticket is not null : folder.HasState(jobId);

    public async Task<string?> FindAsync(Caller caller, string requestId, string fingerprint) =>
        IdOf(await (await silo.QueueAsync()).FindAsync(caller.Id, requestId, fingerprint));

    public async Task EnsureUntrainedAsync(string name, string placeholder, Caller caller)
    {
        if (
            await (await silo.QueueAsync()).CheckNameAsync(name, placeholder, caller.Id, (int)caller.Scopes) is
            { } refusal
        )
        {
            throw StatusException.Parse(refusal);
        }
    }

    public async IAsyncEnumerable<IMessage> WatchAsync(
        string jobId,
        Caller caller,
        int fromStep,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var record = await RecordAsync(jobId, caller);
        await foreach (var message in feeds.WatchAsync(record.Ticket!, fromStep, cancellationToken))
        {
            yield return message;
        }
    }

    public async Task<Job> CancelAsync(string jobId, Caller caller)
    {
        await RecordAsync(jobId, caller);
        // forgotten meanwhile
        return await CancelAsync(jobId) is { Ticket: not null } record ? record.ToMessage(paths) : throw Unknown(jobId);
    }

    public Task AbandonAsync(string jobId) => feeds.IsStopped ? Task.CompletedTask : CancelAsync(jobId);

    public async Task<Job> GetAsync(string jobId, Caller caller) => (await RecordAsync(jobId, caller)).ToMessage(paths);

    public async Task<IReadOnlyList<Job>> ListAsync(Caller caller, IReadOnlyCollection<JobState> states, int count)
    {
        var found = new List<Job>();
        foreach (var ids in (await (await silo.QueueAsync()).ListAsync(caller.IsAdmin ? null : caller.Id)).Chunk(count))
        {
            var records = await Task.WhenAll(ids.Select(FindAsync));
            found.AddRange(
                records
                    .OfType<JobRecord>()
                    .Where(record => record.Ticket is not null && (states.Count == 0 || states.Contains(record.State)))
                    .Take(count - found.Count)
                    .Select(record => record.ToMessage(paths))
            );
            if (found.Count == count)
            {
                break;
            }
        }

        return found;
    }

    private static string? IdOf(Submitted answer) =>
        answer.Refusal is { } refusal ? throw StatusException.Parse(refusal) : answer.JobId;

    private async Task<JobRecord> CancelAsync(string jobId)
    {
        var record = await (await silo.JobAsync(jobId)).CancelAsync();
        await (await silo.QueueAsync()).WithdrawAsync(jobId);
        return record;
    }

    private async Task<JobRecord> RecordAsync(string jobId, Caller caller)
    {
        var record = JobFolder.IsId(jobId) ? await (await silo.JobAsync(jobId)).GetAsync() : null;
        return record?.Ticket is { } ticket && caller.MaySee(ticket.Caller) ? record : throw Unknown(jobId);
    }

    /// <summary>A job; null: its state cannot be read, which is no reason to show none of the others.</summary>
    private async Task<JobRecord?> FindAsync(string jobId)
    {
        try
        {
            return await (await silo.JobAsync(jobId)).GetAsync();
        }
        catch (StateUnreadableException)
        {
            return null;
        }
    }

    private static DtiException Unknown(string jobId) => Refusals.NotFound("job", jobId, []);
}
