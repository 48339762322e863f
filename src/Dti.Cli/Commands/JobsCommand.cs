using System.CommandLine;
using Dti.Cli.Output;
using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Commands;

/// <summary><c>dti jobs</c>: list, watch, cancel.</summary>
internal static class JobsCommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new Command("jobs", "Jobs of a running server.") { List(common), Watch(common), Cancel(common) };
        Examples.Add(
            command,
            "dti jobs list --server http://localhost:5171",
            "dti jobs watch 4f2a91 --from-step 100 --server http://localhost:5171",
            "dti jobs cancel 4f2a91 --server http://localhost:5171"
        );
        return command;
    }

    private static Command List(CommonOptions common)
    {
        var command = new Command("list", "Jobs, newest first.");
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectToNamedAsync("Jobs").ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var jobs = await connection
                    .Client.ListJobsAsync(cancellationToken: context.CancellationToken)
                    .ConfigureAwait(false);
                foreach (var job in jobs)
                    context.Output.Event("job", job);
                if (jobs.Count == 0)
                    context.Output.Line("No jobs.");
                else
                    context.Output.Table(
                        ["JOB", "KIND", "STATE", "CONCEPT", "STEP", "CREATED", "ERROR"],
                        jobs.Select(Row)
                    );
            }
        });
        return command;

        static IReadOnlyList<string> Row(Job job) =>
            [
                job.JobId,
                SettingsTable.Word(job.Kind),
                SettingsTable.Word(job.State),
                job.Name,
                $"{job.Step}/{job.TotalSteps}",
                Dates.Show(job.Created),
                job.Error ?? "",
            ];
    }

    private static Command Watch(CommonOptions common)
    {
        var id = Id();
        var fromStep = new Option<int>("--from-step")
        {
            Description = "Of a training, leave out what was before this step.",
            HelpName = "n",
        };
        var command = new Command("watch", "Follow a job. Ctrl+C ends the watching, not the job.") { id, fromStep };
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectToNamedAsync("Jobs").ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var job = await connection
                    .Client.GetJobAsync(context.Get(id), context.CancellationToken)
                    .ConfigureAwait(false);
                if (job.Kind == JobKind.Train)
                {
                    var updates = connection.Client.WatchAsync(
                        job.JobId,
                        context.Get(fromStep),
                        null,
                        context.CancellationToken
                    );
                    await new TrainingRun(connection.Client, context.Output)
                        .FollowAsync(job.JobId, updates, context.CancellationToken)
                        .ConfigureAwait(false);
                }
                else
                {
                    var updates = connection.Client.WatchGenerationAsync(job.JobId, null, context.CancellationToken);
                    await new GenerationRun(context.Output)
                        .RunAsync(job.JobId, updates, context.CancellationToken)
                        .ConfigureAwait(false);
                }
            }
        });
        return command;
    }

    private static Command Cancel(CommonOptions common)
    {
        var id = Id();
        var command = new Command("cancel", "Stop a job within one step.") { id };
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectToNamedAsync("Jobs").ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var job = await connection
                    .Client.CancelJobAsync(context.Get(id), context.CancellationToken)
                    .ConfigureAwait(false);
                context.Output.Event("job", job);
                context.Output.Line(
                    job.State is JobState.Queued or JobState.Running
                        ? $"{job.JobId} is being cancelled; it stops with its step."
                        : $"{job.JobId}: {SettingsTable.Word(job.State)}"
                );
            }
        });
        return command;
    }

    private static Argument<string> Id() => new("job") { Description = "Id of the job (dti jobs list)." };
}
