using System.Diagnostics;
using System.Globalization;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench;

/// <summary>
/// Kills a server (SIGKILL) at random moments with a training and a drawing under way, starts it again, and so on; then
/// looks whether every job finished, every step was told once, and every concept and picture is what an undisturbed
/// server makes of the same requests.
/// </summary>
internal static class Kills
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var (kills, steps) = (arguments.Number("--count", 100), arguments.Number("--steps", 400));
        var random = new Random(arguments.Number("--seed", 1));
        var folder = Directory.CreateTempSubdirectory("dti-kills-");
        var life = new Life(arguments.Text("--program", "dti"), folder.FullName);
        try
        {
            var (trainings, generations) = (new List<string>(), new List<string>());
            await life.StartAsync().ConfigureAwait(false);
            await life.EndedAsync(await life.TrainAsync("undisturbed", steps).ConfigureAwait(false))
                .ConfigureAwait(false);
            var alone = await life.GenerateImagesAsync().ConfigureAwait(false);
            await life.EndedAsync(alone).ConfigureAwait(false);
            var (concept, pictures) = (
                await life.VectorsAsync("undisturbed").ConfigureAwait(false),
                await life.PicturesAsync(alone).ConfigureAwait(false)
            );
            var starts = new List<double>();
            for (var kill = 1; kill <= kills; kill++)
            {
                if (trainings.Count == 0 || await life.IsOverAsync(trainings[^1]).ConfigureAwait(false))
                {
                    trainings.Add(await life.TrainAsync($"training-{trainings.Count}", steps).ConfigureAwait(false));
                }

                if (generations.Count == 0 || await life.IsOverAsync(generations[^1]).ConfigureAwait(false))
                {
                    generations.Add(await life.GenerateImagesAsync().ConfigureAwait(false));
                }

                await life.AdvancedAsync(trainings[^1]).ConfigureAwait(false);
                await Task.Delay(random.Next(1500)).ConfigureAwait(false);
                life.Kill();
                starts.Add(await life.StartAsync().ConfigureAwait(false));
                Console.WriteLine(
                    $"kill {kill}: {trainings.Count} trainings, {generations.Count} generations, up again after {starts[^1]:F1} s"
                );
            }

            foreach (var job in trainings.Concat(generations))
            {
                await life.EndedAsync(job).ConfigureAwait(false);
            }

            var wrong = new List<string>();
            foreach (var (index, job) in trainings.Index())
            {
                if (await life.ErrorAsync(job).ConfigureAwait(false) is { } error)
                {
                    wrong.Add($"training {index}: {error}");
                }
                else if (
                    await life.VectorsAsync($"training-{index}").ConfigureAwait(false) is var learnt
                    && !learnt.AsSpan().SequenceEqual(concept)
                )
                {
                    wrong.Add($"training {index}: another concept");
                }
                else if (!(await life.StepsAsync(job).ConfigureAwait(false)).SequenceEqual(Enumerable.Range(1, steps)))
                {
                    wrong.Add($"training {index}: steps missing or told twice");
                }
            }

            foreach (var (index, job) in generations.Index())
            {
                if (await life.ErrorAsync(job).ConfigureAwait(false) is { } error)
                {
                    wrong.Add($"drawing {index}: {error}");
                }
                else if (!(await life.PicturesAsync(job).ConfigureAwait(false)).SequenceEqual(pictures))
                {
                    wrong.Add($"drawing {index}: other pictures");
                }
            }

            life.Kill();
            var table = new Table(
                "kills",
                "trainings",
                "generations",
                "wrong",
                "seconds to be ready again, median",
                "most",
                "drafts left over"
            );
            starts.Sort();
            table.Add(
                $"{kills}",
                $"{trainings.Count}",
                $"{generations.Count}",
                $"{wrong.Count}",
                Seconds(starts[starts.Count / 2]),
                Seconds(starts[^1]),
                $"{Directory.GetFiles(folder.FullName, "*.tmp", SearchOption.AllDirectories).Length}"
            );
            table.Save(
                "kills",
                $"A server killed with SIGKILL while it trained ({steps} steps of the tiny model) and generated images, and started again (`Dti.Bench kills`)."
            );
            wrong.ForEach(Console.WriteLine);
            return wrong.Count == 0 ? 0 : 1;
        }
        finally
        {
            life.Kill();
            folder.Delete(recursive: true);
        }
    }

    private static string Seconds(double seconds) => seconds.ToString("F1", CultureInfo.InvariantCulture);

    /// <summary>A server in a process of its own, one life after the other over the same folder.</summary>
    private sealed class Life(string program, string folder)
    {
        private Process? _process;
        private GrpcChannel _channel = null!;

        private JobService.JobServiceClient Jobs => new(_channel);

        public async Task<double> StartAsync()
        {
            var start = Stopwatch.GetTimestamp();
            (_process, var address, _) = await ServerProcess
                .StartAsync(
                    program,
                    folder,
                    new() { ["DTI_SNAPSHOT_INTERVAL"] = "00:00:00.5" },
                    null,
                    "--models",
                    Folders.Fixture("tiny-sd15")
                )
                .ConfigureAwait(false);
            _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { MaxReceiveMessageSize = null });
            await Jobs.ListAsync(new()).ConfigureAwait(false);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        public void Kill()
        {
            if (_process is { HasExited: false })
            {
                _process.Kill();
                _process.WaitForExit();
                _channel.Dispose();
            }
        }

        public async Task<string> TrainAsync(string name, int steps)
        {
            var request = new TrainRequest
            {
                Name = name,
                Photos =
                {
                    new Photo { FileName = "a.png", Data = ByteString.CopyFrom(ModelCase.Noise(64)) },
                },
                Options = new TrainingOptions
                {
                    Steps = steps,
                    BatchSize = 1,
                    Resolution = 64,
                    PreviewEvery = 50,
                    PreviewSteps = 2,
                    Seed = 7,
                    Initializer = "dog",
                },
            };
            request.Options.Placeholder = $"<{name}>";
            var call = new DtiService.DtiServiceClient(_channel).Train(request);
            await call.ResponseStream.MoveNext(default).ConfigureAwait(false);
            return call.ResponseStream.Current.Accepted.JobId;
        }

        public async Task<string> GenerateImagesAsync()
        {
            var call = new DtiService.DtiServiceClient(_channel).Generate(
                new GenerateRequest
                {
                    Options = new GenerationOptions
                    {
                        Prompt = "a dog",
                        Width = 64,
                        Height = 64,
                        Steps = 60,
                        NumImages = 2,
                        Seed = 3,
                    },
                }
            );
            await call.ResponseStream.MoveNext(default).ConfigureAwait(false);
            return call.ResponseStream.Current.Accepted.JobId;
        }

        public async Task<bool> IsOverAsync(string jobId) =>
            (await GetAsync(jobId).ConfigureAwait(false)).Ended is not null;

        public async Task<string?> ErrorAsync(string jobId) =>
            await GetAsync(jobId).ConfigureAwait(false) is { State: not JobState.Succeeded } job
                ? $"{job.State}: {job.Error}"
                : null;

        public async Task EndedAsync(string jobId)
        {
            while (!await IsOverAsync(jobId).ConfigureAwait(false))
            {
                await Task.Delay(100).ConfigureAwait(false);
            }
        }

        /// <summary>Waits until a training has done a step in this life.</summary>
        public async Task AdvancedAsync(string jobId)
        {
            var first = -1;
            while (
                await GetAsync(jobId).ConfigureAwait(false) is { Ended: null } job
                && (job.State != JobState.Running || first < 0 || job.Step <= first)
            )
            {
                first = job.State == JobState.Running && first < 0 ? job.Step : first;
                await Task.Delay(20).ConfigureAwait(false);
            }
        }

        public async Task<byte[]> VectorsAsync(string name) =>
            SafetensorsBytes.OfTensors(
                (
                    await new ConceptService.ConceptServiceClient(_channel).ExportAsync(
                        new ConceptServiceExportRequest { Name = name, Format = ConceptFormat.Webui }
                    )
                ).Data
            );

        public async Task<List<int>> StepsAsync(string jobId) =>
            [
                .. (await EventsAsync(jobId).ConfigureAwait(false))
                    .Where(happened => happened.Event?.Progress is not null)
                    .Select(happened => happened.Event.Progress.Step),
            ];

        public async Task<List<ByteString>> PicturesAsync(string jobId) =>
            [
                .. (await EventsAsync(jobId).ConfigureAwait(false))
                    .Where(happened => happened.Generate?.Picture is not null)
                    .Select(happened => happened.Generate.Picture.Data),
            ];

        private async Task<Job> GetAsync(string jobId) =>
            (await Jobs.GetAsync(new JobServiceGetRequest { JobId = jobId })).Job;

        private async Task<List<JobServiceWatchResponse>> EventsAsync(string jobId)
        {
            var events = new List<JobServiceWatchResponse>();
            using var call = Jobs.Watch(new JobServiceWatchRequest { JobId = jobId });
            await foreach (var happened in call.ResponseStream.ReadAllAsync().ConfigureAwait(false))
            {
                events.Add(happened);
            }

            return events;
        }
    }
}
