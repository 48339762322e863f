using System.Globalization;
using Dti.Engine.Runtime.Devices;
using Dti.Server;
using Dti.Server.Hosting;
using Dti.Server.Jobs;
using Dti.Server.Libraries;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Bench.Clusters;

/// <summary>
/// A host of a cluster, in a process of its own, whose device computes nothing: it loads the model of a training and
/// sleeps for each step. Hosts that share a processor are then as fast as hosts that have one each.
/// </summary>
internal static class SimulatedHost
{
    /// <summary>The command line's word for the process.</summary>
    public const string Verb = "cluster-host";

    /// <summary>The variable with the milliseconds of a step.</summary>
    public const string StepTime = "BENCH_STEP_TIME";

    /// <summary>The variable with the file to which each finished job adds a byte.</summary>
    public const string Finished = "BENCH_FINISHED";

    /// <summary>Runs a host whose settings are in the environment, until it is told to stop.</summary>
    public static async Task<int> RunAsync()
    {
        var settings = ServerConfiguration.OfEnvironment(Environment.GetEnvironmentVariables());
        var options = ServerConfiguration.Bind(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        await using var server = DtiHost.Build(options, builder =>
            builder.Services.AddSingleton<IJobRunner, SleepingRunner>()
        );
        await server.RunAsync().ConfigureAwait(false);
        return 0;
    }

    private sealed class SleepingRunner(ModelLibrary models, ModelCache loaded, ComputeTarget target) : IJobRunner
    {
        private readonly TimeSpan _step = TimeSpan.FromMilliseconds(
            int.Parse(Environment.GetEnvironmentVariable(StepTime)!, CultureInfo.InvariantCulture)
        );
        private readonly string _finished = Environment.GetEnvironmentVariable(Finished)!;

        public IEnumerable<(int Step, IMessage Message)> Run(
            IMessage request,
            JobAttempt attempt,
            CancellationToken cancellationToken
        )
        {
            var (train, steps) = ((TrainRequest)request, attempt.Ticket.TotalSteps);
            // hosts announce it, and prefer jobs of a model that they have
            using var model = loaded.Use(models.Get(train.Options.Model, train.Options.Vae), target);
            for (var step = 1; step <= steps; step++)
            {
                cancellationToken.WaitHandle.WaitOne(_step);
                cancellationToken.ThrowIfCancellationRequested();
                yield return (
                    step,
                    new TrainResponse
                    {
                        Progress = new TrainProgress { Step = step, TotalSteps = steps },
                    }
                );
            }

            yield return (
                steps,
                new TrainResponse
                {
                    Result = new TrainResult { Name = train.Name, Steps = steps },
                }
            );
            File.AppendAllText(_finished, ".");
        }
    }
}
