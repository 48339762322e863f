using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using Dti.Engine.Checkpoints;
using Dti.Engine.Imaging;
using Dti.Engine.Runtime.Files;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using TorchSharp;

namespace Dti.Bench.Attacks;

/// <summary>
/// The attacks. Each gives what it measured, and whether the server held; null: it could not be tried here.
/// </summary>
internal static class Attack
{
    private const string Check = "grpc.health.v1.Health/Check";

    private static readonly string[] _machines = ["x86_64", "aarch64"];

    // A lossless WebP of 34 bytes that says 10,000 × 10,000 pixels.
    private static readonly byte[] _large = Convert.FromHexString(
        "524946461A000000574542505650384C0E0000002F0FE7C309071011FD0F4444FF03"
    );

    public static (string Name, Func<string, Task<(string Measured, bool? Held)>> Run)[] All { get; } =
    [
        ("large names without a token", LargeNamesAsync),
        ("bytes that are no message", FramingAsync),
        ("messages of tiny fields", TinyFieldsAsync),
        ("gzip bombs", GzipBombsAsync),
        ("photos that grow", PhotosThatGrowAsync),
        ("huge photos and a wrong name", HeavyTurnAsync),
        ("long names and prompts", LongTextsAsync),
        ("imports of one name at once", ImportsAtOnceAsync),
        ("deletion of another caller's concept", DeletionsAsync),
        ("files that say much of themselves", DescriptionsAsync),
        ("deletion of a concept in training", DeletionInTrainingAsync),
        ("ambiguous names", AmbiguousNamesAsync),
        ("pipes and devices as files", SpecialFilesAsync),
        ("library locked by another process", LibraryLockAsync),
        ("clock set back", ClockAsync),
        ("process stopped for 36 seconds", PauseAsync),
        ("streams reset at once", RapidResetAsync),
        ("headers without an end", HeaderFloodAsync),
        ("half-open connections", HalfOpenAsync),
        ("submit storm", SubmitStormAsync),
    ];

    private static async Task<(string, bool?)> LargeNamesAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var (before, body) = (
            server.Memory,
            Packed(new HealthCheckRequest { Service = new string('a', 48 << 20) }.ToByteArray())
        );
        var open = new List<HttpResponseMessage>();
        for (var i = 0; i < 8; i++)
        {
            open.Add(await server.OpenAsync("grpc.health.v1.Health/Watch", body, "gzip").ConfigureAwait(false));
        }

        var grown = server.Memory - before;
        open.ForEach(response => response.Dispose());
        return ($"8 streams and {8 * body.Length / 1e6:F1} MB sent: memory grew by {grown:F0} MiB", grown < 64);
    }

    private static async Task<(string, bool?)> FramingAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var wrong = 0;
        foreach (
            var (bytes, encoding) in new[]
            {
                ("", (string?)null),
                ("00000000", null),
                ("0000000010616263", null),
                ("0700000000", null),
                ("01000000026162", null),
                ("01000000026162", "gzip"),
                ("00000000000000000000", null),
                ("0000000002ffff", null),
            }
        )
        {
            wrong +=
                await server.SendAsync(Check, Convert.FromHexString(bytes), encoding).ConfigureAwait(false)
                == StatusCode.InvalidArgument
                    ? 0
                    : 1;
        }

        var errors = server.Logged("fail:");
        return ($"8 kinds: {wrong} not INVALID_ARGUMENT, {errors} errors in the log", wrong == 0 && errors == 0);
    }

    private static async Task<(string, bool?)> TinyFieldsAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var message = new byte[32 << 20];
        for (var at = 0; at < message.Length; at += 2)
        {
            message[at] = 3 << 3 | 2; // an empty photo
        }

        var before = server.Memory;
        var code = await server
            .SendAsync("dti.v1.DtiService/Train", Packed(message), "gzip", "anna")
            .ConfigureAwait(false);
        var grown = server.PeakMemory - before;
        return (
            $"16 million empty photos: {code}, memory grew by at most {grown:F0} MiB",
            code == StatusCode.ResourceExhausted && grown < 300
        );
    }

    private static async Task<(string, bool?)> GzipBombsAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var body = Packed(new byte[1 << 30]);
        var before = server.Memory;
        var code = await server.SendAsync("dti.v1.ConceptService/Get", body, "gzip", "anna").ConfigureAwait(false);
        var grown = server.PeakMemory - before;
        return (
            $"1 GiB in {body.Length / 1e6:F1} MB: {code}, memory grew by at most {grown:F0} MiB",
            code == StatusCode.ResourceExhausted && grown < 300
        );
    }

    private static async Task<(string, bool?)> PhotosThatGrowAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["bob"]).ConfigureAwait(false);
        var photo = ImageCodec.Encode(new RgbImage(64, 8, new byte[3 * 64 * 8]), ImageFormat.Png);
        var (before, request) = (server.Memory, Training("x", Enumerable.Repeat(photo, 20), steps: 1));
        request.Options.Resolution = 2048;
        var code = await TrainAsync(server, request, "bob").ConfigureAwait(false);
        var grown = server.PeakMemory - before;
        return (
            $"{request.CalculateSize()} bytes: {code}, memory grew by {grown:F0} MiB",
            code is StatusCode.InvalidArgument or StatusCode.ResourceExhausted && grown < 300
        );
    }

    private static async Task<(string, bool?)> HeavyTurnAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna", "bob"]).ConfigureAwait(false);
        var concepts = new ConceptService.ConceptServiceClient(server.As("anna"));
        await concepts.ImportAsync(Import("c")).ConfigureAwait(false);
        await concepts.InspectAsync(new() { Name = "c" }).ConfigureAwait(false);
        var waits = new List<double>();
        foreach (var name in new[] { "bad name!", "good-name" })
        {
            using var gone = new CancellationTokenSource();
            using var call = new DtiService.DtiServiceClient(server.As("bob")).Train(
                Training(name, Enumerable.Repeat(_large, 8)),
                cancellationToken: gone.Token
            );
            await Task.Delay(2000).ConfigureAwait(false);
            await gone.CancelAsync().ConfigureAwait(false);
            var began = Stopwatch.GetTimestamp();
            await concepts.InspectAsync(new() { Name = "c" }).ConfigureAwait(false);
            waits.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        return (
            $"8 photos of 100 megapixels from a caller who went away; another waited {waits[0]:F1} s (wrong name) and {waits[1]:F1} s",
            waits[0] < 5 && waits[1] < 15
        );
    }

    private static async Task<(string, bool?)> LongTextsAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var caller = server.As("anna");
        for (var i = 0; i < 50; i++)
        {
            await new ConceptService.ConceptServiceClient(caller)
                .ImportAsync(Import($"concept-number-{i:D3}"))
                .ConfigureAwait(false);
        }

        var before = server.Processor;
        var (name, words) = (new string('a', 1 << 20), string.Concat(Enumerable.Repeat("word ", 80_000)));
        StatusCode[] codes =
        [
            await AttackedServer
                .CodeOf(() =>
                    new ConceptService.ConceptServiceClient(caller).GetAsync(new() { Name = name }).ResponseAsync
                )
                .ConfigureAwait(false),
            await AttackedServer
                .CodeOf(() => new ModelService.ModelServiceClient(caller).GetAsync(new() { Name = name }).ResponseAsync)
                .ConfigureAwait(false),
            await server
                .GenerateAsync(string.Concat(Enumerable.Repeat("embedding:concept-number-001 ", 20_000)), "anna")
                .ConfigureAwait(false),
            await TrainAsync(
                    server,
                    Training("x", [ModelCase.Noise(96)], options => options.Initializer = words),
                    "anna"
                )
                .ConfigureAwait(false),
        ];
        var spent = server.Processor - before;
        return (
            $"{string.Join(", ", codes.Distinct())} after {spent:F1} s of processor time for 4 calls",
            codes.All(code => code == StatusCode.InvalidArgument) && spent < 2
        );
    }

    private static async Task<(string, bool?)> ImportsAtOnceAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var twice = 0;
        for (var round = 0; round < 10; round++)
        {
            var name = $"race{round}";
            var codes = await Task.WhenAll(
                    Enumerable
                        .Range(0, 4)
                        .Select(_ =>
                            AttackedServer.CodeOf(() =>
                                new ConceptService.ConceptServiceClient(server.As("anna"))
                                    .ImportAsync(Import(name))
                                    .ResponseAsync
                            )
                        )
                )
                .ConfigureAwait(false);
            twice += codes.Count(code => code == StatusCode.OK) == 1 ? 0 : 1;
        }

        return ($"4 imports without overwrite: in {twice} of 10 rounds not exactly one succeeded", twice == 0);
    }

    private static async Task<(string, bool?)> DeletionsAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna", "bob"]).ConfigureAwait(false);
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Task[] away =
        [
            .. Enumerable
                .Range(0, 4)
                .Select(i =>
                    Task.Run(async () =>
                    {
                        var anna = new ConceptService.ConceptServiceClient(server.As("anna"));
                        while (!end.IsCancellationRequested)
                        {
                            await (
                                i > 0
                                    ? Task.CompletedTask
                                    : AttackedServer.CodeOf(() => anna.ImportAsync(Import("x")).ResponseAsync)
                            ).ConfigureAwait(false);
                            await AttackedServer
                                .CodeOf(() => anna.DeleteAsync(new() { Name = "x" }).ResponseAsync)
                                .ConfigureAwait(false);
                        }
                    })
                ),
        ];
        var (bob, made, lost) = (new ConceptService.ConceptServiceClient(server.As("bob")), 0, 0);
        while (!end.IsCancellationRequested)
        {
            if (
                await AttackedServer.CodeOf(() => bob.ImportAsync(Import("x")).ResponseAsync).ConfigureAwait(false)
                == StatusCode.OK
            )
            {
                made++;
                lost +=
                    await AttackedServer
                        .CodeOf(() => bob.GetAsync(new() { Name = "x" }).ResponseAsync)
                        .ConfigureAwait(false) == StatusCode.OK
                        ? 0
                        : 1;
                await AttackedServer
                    .CodeOf(() => bob.DeleteAsync(new() { Name = "x" }).ResponseAsync)
                    .ConfigureAwait(false);
            }
        }

        await Task.WhenAll(away).ConfigureAwait(false);
        return (
            $"of {made} concepts that one caller imported, {lost} were deleted by another's calls",
            lost == 0 && made > 0
        );
    }

    private static async Task<(string, bool?)> DescriptionsAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var concepts = new ConceptService.ConceptServiceClient(server.As("anna"));
        var lost = 0;
        for (var i = 0; i < 70; i++)
        {
            await concepts
                .ImportAsync(Import($"b{i}", new() { ["dti.model"] = new string('m', i == 0 ? 3_000_000 : 1_000_000) }))
                .ConfigureAwait(false);
            lost +=
                await AttackedServer
                    .CodeOf(() => concepts.GetAsync(new() { Name = $"b{i}" }).ResponseAsync)
                    .ConfigureAwait(false) == StatusCode.OK
                    ? 0
                    : 1;
        }

        var stored = Directory
            .EnumerateFiles(Path.Combine(server.Data, "concepts"))
            .Sum(file => new FileInfo(file).Length);
        var listed = await AttackedServer.CodeOf(() => concepts.ListAsync(new()).ResponseAsync).ConfigureAwait(false);
        return (
            $"70 files with 1 to 3 MB about themselves: {lost} cannot be read back, {stored / 1e6:F1} MB stored, List {listed}",
            lost == 0 && listed == StatusCode.OK && stored < 10_000_000
        );
    }

    private static async Task<(string, bool?)> DeletionInTrainingAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, []).ConfigureAwait(false);
        await TrainAsync(server, Training("c", [ModelCase.Noise(96)], steps: 2)).ConfigureAwait(false);
        using var call = new DtiService.DtiServiceClient(server.As()).Train(
            Training("c", [ModelCase.Noise(96)], steps: 2000)
        );
        while (
            await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false)
            && call.ResponseStream.Current.Progress is null
        ) { }

        var code = await AttackedServer
            .CodeOf(() =>
                new ConceptService.ConceptServiceClient(server.As()).DeleteAsync(new() { Name = "c" }).ResponseAsync
            )
            .ConfigureAwait(false);
        var kept = Directory.Exists(Path.Combine(server.Data, "concepts", ".runs", "c"));
        return (
            $"{code}, and the training's folder is {(kept ? "there" : "gone")}",
            kept && code == StatusCode.AlreadyExists
        );
    }

    private static async Task<(string, bool?)> AmbiguousNamesAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, []).ConfigureAwait(false);
        var concepts = new ConceptService.ConceptServiceClient(server.As());
        await concepts.ImportAsync(Import("cat")).ConfigureAwait(false);
        var inCase = await AttackedServer
            .CodeOf(() => concepts.ImportAsync(Import("CAT")).ResponseAsync)
            .ConfigureAwait(false);
        await TrainAsync(
                server,
                Training("bar", [ModelCase.Noise(96)], options => options.Placeholder = "<foo>", steps: 1)
            )
            .ConfigureAwait(false);
        var shadowed = await AttackedServer
            .CodeOf(() => concepts.ImportAsync(Import("foo")).ResponseAsync)
            .ConfigureAwait(false);
        return (
            $"CAT beside cat: {inCase}; foo beside a concept trained as <foo>: {shadowed}",
            inCase == StatusCode.AlreadyExists && shadowed == StatusCode.AlreadyExists
        );
    }

    private static async Task<(string, bool?)> SpecialFilesAsync(string program)
    {
        var models = Directory.CreateTempSubdirectory("dti-models-");
        try
        {
            await using var server = await AttackedServer
                .StartAsync(program, [], null, "--models", models.FullName)
                .ConfigureAwait(false);
            await server.GenerateAsync().ConfigureAwait(false);
            foreach (
                var (folder, name) in new[]
                {
                    (models.FullName, "x.safetensors"),
                    (Path.Combine(server.Data, "concepts"), "x.json"),
                }
            )
            {
                Process.Start("mkfifo", [Path.Combine(folder, "pipe-" + name)]).WaitForExit();
                File.CreateSymbolicLink(Path.Combine(folder, "zero-" + name), "/dev/zero");
            }

            var late = DateTime.UtcNow.AddSeconds(20);
            StatusCode[] codes =
            [
                await AttackedServer
                    .CodeOf(() =>
                        new ModelService.ModelServiceClient(server.As()).ListAsync(new(), deadline: late).ResponseAsync
                    )
                    .ConfigureAwait(false),
                await AttackedServer
                    .CodeOf(() =>
                        new ConceptService.ConceptServiceClient(server.As())
                            .ListAsync(new(), deadline: late)
                            .ResponseAsync
                    )
                    .ConfigureAwait(false),
                await server.GenerateAsync().ConfigureAwait(false),
            ];
            return (
                $"models {codes[0]}, concepts {codes[1]}, Generate {codes[2]}",
                codes.All(code => code == StatusCode.OK)
            );
        }
        finally
        {
            models.Delete(recursive: true);
        }
    }

    private static async Task<(string, bool?)> LibraryLockAsync(string program)
    {
        if (OperatingSystem.IsWindows())
        {
            return ("files have no modes", null);
        }

        await using var server = await AttackedServer.StartAsync(program, []).ConfigureAwait(false);
        var concepts = new ConceptService.ConceptServiceClient(server.As());
        await concepts.ImportAsync(Import("k")).ConfigureAwait(false);
        var library = Path.Combine(server.Data, "concepts");
        using var held = new FolderJournal(library).Begin();
        var change = AttackedServer.CodeOf(() => concepts.ImportAsync(Import("l")).ResponseAsync);
        await Task.Delay(700).ConfigureAwait(false);
        var began = Stopwatch.GetTimestamp();
        var code = await AttackedServer.CodeOf(() => concepts.ListAsync(new()).ResponseAsync).ConfigureAwait(false);
        var waited = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var mode = File.GetUnixFileMode(Path.Combine(library, ".change", "lock"));
        held.Dispose();
        await change.ConfigureAwait(false);
        return (
            $"List {code} after {waited:F1} s; the lock is {mode}",
            waited < 2 && mode == (UnixFileMode.UserRead | UnixFileMode.UserWrite)
        );
    }

    private static async Task<(string, bool?)> ClockAsync(string program)
    {
        var library = _machines
            .Select(machine => $"/usr/lib/{machine}-linux-gnu/faketime/libfaketime.so.1")
            .FirstOrDefault(File.Exists);
        if (library is null)
        {
            return ("libfaketime is not installed", null);
        }

        var clock = Path.GetTempFileName();
        await File.WriteAllTextAsync(clock, "+0").ConfigureAwait(false);
        await using var server = await AttackedServer
            .StartAsync(
                program,
                [],
                new()
                {
                    ["LD_PRELOAD"] = library,
                    ["FAKETIME_TIMESTAMP_FILE"] = clock,
                    ["FAKETIME_NO_CACHE"] = "1",
                    ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
                    ["DONT_FAKE_MONOTONIC"] = "1",
                }
            )
            .ConfigureAwait(false);
        var (failed, silent) = (0, 0);
        foreach (var jump in new[] { "+0", "-1020", "-3600", "+0", "+172800", "+0" })
        {
            await File.WriteAllTextAsync(clock, jump).ConfigureAwait(false);
            await Task.Delay(1200).ConfigureAwait(false);
            failed += await server.GenerateAsync().ConfigureAwait(false) == StatusCode.OK ? 0 : 1;
            var health = await new Health.HealthClient(server.As()).CheckAsync(new()).ConfigureAwait(false);
            silent += health.Status == HealthCheckResponse.Types.ServingStatus.Serving ? 0 : 1;
        }

        File.Delete(clock);
        return (
            $"6 changes of up to two days: {failed} jobs failed, {silent} times not SERVING",
            failed == 0 && silent == 0
        );
    }

    private static async Task<(string, bool?)> PauseAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, []).ConfigureAwait(false);
        using var call = new DtiService.DtiServiceClient(server.As()).Train(
            Training("c", [ModelCase.Noise(96)], steps: 2000)
        );
        while (
            await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false)
            && call.ResponseStream.Current.Progress is null
        ) { }

        for (var pause = 0; pause < 2; pause++)
        {
            server.Signal("STOP");
            await Task.Delay(TimeSpan.FromSeconds(36)).ConfigureAwait(false);
            server.Signal("CONT");
            await Task.Delay(TimeSpan.FromSeconds(7)).ConfigureAwait(false);
        }

        var lost = server.Logged("has lost job");
        return ($"2 pauses: the running job was taken for lost {lost} times", lost == 0);
    }

    private static async Task<(string, bool?)> RapidResetAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var (before, sent) = (server.Memory, 0);
        for (var connection = 0; connection < 10; connection++)
        {
            using var frames = await Http2Frames.ConnectAsync(server.Address).ConfigureAwait(false);
            sent += await frames.ResetRapidlyAsync(Check, 3000, CancellationToken.None).ConfigureAwait(false);
        }

        return await AnswersAsync(server, before, $"{sent} streams on 10 connections").ConfigureAwait(false);
    }

    private static async Task<(string, bool?)> HeaderFloodAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var (before, sent) = (server.Memory, 0L);
        for (var connection = 0; connection < 10; connection++)
        {
            using var frames = await Http2Frames.ConnectAsync(server.Address).ConfigureAwait(false);
            sent += await frames.FloodWithHeadersAsync(Check, 64 << 20, CancellationToken.None).ConfigureAwait(false);
        }

        return await AnswersAsync(
                server,
                before,
                $"{sent / 1e6:F1} MB of headers on 10 connections before they were closed"
            )
            .ConfigureAwait(false);
    }

    private static async Task<(string, bool?)> HalfOpenAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, ["anna"]).ConfigureAwait(false);
        var (before, half) = (server.Memory, new List<Http2Frames>());
        for (var i = 0; i < 800; i++)
        {
            half.Add(await Http2Frames.ConnectAsync(server.Address, hello: i % 2 == 0).ConfigureAwait(false));
        }

        var result = await AnswersAsync(server, before, "800 connections that say nothing").ConfigureAwait(false);
        half.ForEach(frames => frames.Dispose());
        return result;
    }

    private static async Task<(string, bool?)> SubmitStormAsync(string program)
    {
        await using var server = await AttackedServer.StartAsync(program, []).ConfigureAwait(false);
        var before = server.Memory;
        var codes = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => server.GenerateAsync($"a house {i}")))
            .ConfigureAwait(false);
        var (text, held) = await AnswersAsync(
                server,
                before,
                string.Join(", ", codes.GroupBy(code => code).Select(group => $"{group.Count()} × {group.Key}"))
            )
            .ConfigureAwait(false);
        return (text, held == true && codes.All(code => code is StatusCode.OK or StatusCode.ResourceExhausted));
    }

    private static async Task<(string, bool?)> AnswersAsync(AttackedServer server, double before, string what)
    {
        var health = await new Health.HealthClient(server.As())
            .CheckAsync(new(), deadline: DateTime.UtcNow.AddSeconds(30))
            .ConfigureAwait(false);
        var (grown, errors) = (server.Memory - before, server.Logged("fail:"));
        return (
            $"{what}: {health.Status}, memory grew by {grown:F0} MiB, {errors} errors in the log",
            health.Status == HealthCheckResponse.Types.ServingStatus.Serving && grown < 300 && errors == 0
        );
    }

    private static Task<StatusCode> TrainAsync(AttackedServer server, TrainRequest request, string? caller = null) =>
        AttackedServer.CodeOf(async () =>
        {
            using var call = new DtiService.DtiServiceClient(server.As(caller)).Train(
                request,
                deadline: DateTime.UtcNow.AddMinutes(2)
            );
            while (await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false)) { }
        });

    private static TrainRequest Training(
        string name,
        IEnumerable<byte[]> photos,
        Action<TrainingOptions>? change = null,
        int steps = 100
    )
    {
        var request = new TrainRequest
        {
            Name = name,
            Overwrite = true,
            Options = new TrainingOptions
            {
                Steps = steps,
                BatchSize = 1,
                Resolution = 64,
                PreviewEvery = 0,
            },
            Photos =
            {
                photos.Select((photo, i) => new Photo { FileName = $"{i}", Data = ByteString.CopyFrom(photo) }),
            },
        };
        change?.Invoke(request.Options);
        return request;
    }

    private static ConceptServiceImportRequest Import(string name, Dictionary<string, string>? metadata = null)
    {
        using var file = new MemoryStream();
        using var vector = torch.full([1, 160], 0.1f);
        SafetensorsWriter.Write(file, new Dictionary<string, torch.Tensor> { ["<x>"] = vector }, metadata ?? []);
        return new ConceptServiceImportRequest { Name = name, Data = ByteString.CopyFrom(file.ToArray()) };
    }

    private static byte[] Packed(byte[] message)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(message);
        }

        var frame = new byte[5 + packed.Length];
        frame[0] = 1;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), (int)packed.Length);
        packed.GetBuffer().AsSpan(0, (int)packed.Length).CopyTo(frame.AsSpan(5));
        return frame;
    }
}
