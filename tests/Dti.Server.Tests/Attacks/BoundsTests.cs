using System.Text;
using Dti.Server.Configuration;
using Dti.Server.Services;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Tests.Attacks;

/// <summary>
/// Every text, list, message and all bytes in flight have a bound, which is checked before any work is done.
/// </summary>
public sealed class BoundsTests
{
    private const string Get = "dti.v1.ConceptService/Get";
    private const string Train = "dti.v1.DtiService/Train";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Health_LargeMessage_IsRefusedWithoutBeingKept(bool packed)
    {
        await using var server = GuardedServer.Start();
        using var raw = new RawGrpc(server.Server.Address);
        var message = new HealthCheckRequest { Service = new string('a', 32 << 20) }.ToByteArray();
        var bytes = server.Server.Services.GetRequiredService<BytesInFlight>();

        foreach (var method in new[] { "Watch", "Check" })
        {
            var answer = await raw.CallAsync(
                $"grpc.health.v1.Health/{method}",
                packed ? RawGrpc.Packed(message) : RawGrpc.Frame(message),
                encoding: packed ? "gzip" : null
            );
            Assert.Equal((StatusCode.ResourceExhausted, "MESSAGE_TOO_LARGE"), answer);
        }

        Assert.Equal(0, bytes.Taken);
    }

    [Fact]
    public async Task Health_ManyStreamsWithoutAToken_AreBoundedAndCallsAreStillAnswered()
    {
        await using var server = GuardedServer.Start();
        using var channel = server.Server.NewChannel();
        var health = new Health.HealthClient(channel);
        var streams = Enumerable.Range(0, RequestBounds.CallsWithoutToken).Select(_ => health.Watch(new())).ToArray();
        await Task.WhenAll(streams.Select(stream => stream.ResponseStream.MoveNext(Cancellation)));

        using var more = health.Watch(new());
        var refused = await Refusal.Of(() => more.ResponseStream.MoveNext(Cancellation), StatusCode.ResourceExhausted);
        Assert.Equal("TOO_MANY_CALLS", Refusal.Reason(refused));
        Assert.NotNull(Refusal.Detail<Google.Rpc.RetryInfo>(refused).RetryDelay);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await health.CheckAsync(new())).Status);

        Array.ForEach(streams, stream => stream.Dispose());
        while (true) // until the server has noticed
        {
            using var again = health.Watch(new());
            try
            {
                Assert.True(await again.ResponseStream.MoveNext(Cancellation));
                return;
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.ResourceExhausted)
            {
                await Task.Delay(10, Cancellation);
            }
        }
    }

    [Fact]
    public async Task Call_GzipOfMoreThanAMessageMayHave_IsRefused()
    {
        await using var server = TestServer.Start(options => options with { MaxMessageBytes = 1 << 20 });
        using var raw = new RawGrpc(server.Address);
        var answer = await raw.CallAsync(Get, RawGrpc.Packed(new byte[64 << 20]), encoding: "gzip");
        Assert.Equal((StatusCode.ResourceExhausted, "MESSAGE_TOO_LARGE"), answer);
    }

    [Fact]
    public async Task Call_LengthThatIsNotSent_TakesNoMemory()
    {
        await using var server = TestServer.Start();
        using var raw = new RawGrpc(server.Address);
        var bytes = server.Services.GetRequiredService<BytesInFlight>();
        Assert.Equal(
            (StatusCode.InvalidArgument, "MALFORMED_MESSAGE"),
            await raw.CallAsync(Get, [0, 3, 0, 0, 0, 1, 2, 3])
        );
        Assert.Equal(0, bytes.Taken);
    }

    [Theory]
    [InlineData("photos")] // each of two bytes
    [InlineData("unknown fields")]
    [InlineData("packed numbers")]
    public async Task Call_ManyTinyFields_IsRefusedBeforeTheyBecomeObjects(string kind)
    {
        await using var server = TestServer.Start();
        using var raw = new RawGrpc(server.Address);
        var message = kind switch
        {
            "photos" => Enumerable.Repeat<byte[]>([3 << 3 | 2, 0], 100_000).SelectMany(field => field).ToArray(),
            "unknown fields" => [.. Enumerable.Repeat<byte[]>([15 << 3, 0], 100_000).SelectMany(field => field)],
            _ => [1 << 3 | 2, 0xA0, 0x8D, 0x06, .. new byte[100_000]],
        };
        var answer = await raw.CallAsync(
            kind == "packed numbers" ? "dti.v1.JobService/List" : Train,
            RawGrpc.Frame(message)
        );
        Assert.Equal((StatusCode.ResourceExhausted, "TOO_MANY_FIELDS"), answer);
    }

    [Fact]
    public async Task Json_ManyValues_IsRefused()
    {
        await using var server = TestServer.Start();
        using var http = new HttpClient
        {
            BaseAddress = server.Address,
            DefaultRequestVersion = System.Net.HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var body = new StringContent(
            $"{{\"photos\": [{string.Join(',', Enumerable.Repeat("{}", 100_000))}]}}",
            Encoding.UTF8,
            "application/json"
        );

        using var response = await http.PostAsync(new Uri("/v1/train", UriKind.Relative), body, Cancellation);

        Assert.Equal(System.Net.HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(
            "more than 20000 values",
            await response.Content.ReadAsStringAsync(Cancellation),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task EveryText_LongerThanItsBound_IsNamedBeforeAnythingElse()
    {
        await using var server = TestServer.Start();
        Assert.Equal(
            ["name"],
            await Refusal.Fields(() =>
                server.Concepts.GetAsync(new() { Name = new string('a', 1 << 20) }).ResponseAsync
            )
        );
        Assert.Equal(
            ["name"],
            await Refusal.Fields(() => server.Models.GetAsync(new() { Name = new string('a', 1 << 20) }).ResponseAsync)
        );
        Assert.Equal(
            ["job_id"],
            await Refusal.Fields(() => server.Jobs.GetAsync(new() { JobId = new string('a', 1 << 20) }).ResponseAsync)
        );
        Assert.Equal(
            ["options.prompt", "options.scheduler"],
            await Refusal.Fields(() =>
                server.GenerateAsync(
                    new GenerationOptions { Prompt = new string('a', 20_000), Scheduler = new string('b', 2000) }
                )
            )
        );
        var words = string.Concat(Enumerable.Repeat("word ", 80_000));
        Assert.Equal(
            ["options.initializer", "options.templates"],
            await Refusal.Fields(() => server.TrainAsync(TestServer.Request("cat", change: request =>
                    {
                        request.Options.Initializer = words;
                        request.Options.Templates.AddRange(Enumerable.Repeat("a {}", 1001));
                    })))
        );
        Assert.Equal(
            [""],
            await Refusal.Fields(() =>
                server.TrainAsync(
                    TestServer.Request("cat", change: request =>
                        request.Options.Templates.AddRange(Enumerable.Repeat(new string('a', 9000) + "{}", 20))
                    )
                )
            )
        );
    }

    [Fact]
    public async Task BytesInFlight_AsManyAsThereMayBe_RefusesLargeRequestsAndAnswersSmallOnes()
    {
        await using var server = TestServer.Start(options => options with { MaxMessageBytes = 1 << 20 });
        var bytes = server.Services.GetRequiredService<BytesInFlight>();
        using var others = bytes.Open();
        Assert.True(others.TryTake(3 << 20));

        var refused = await Refusal.Of(
            () =>
                server.TrainAsync(
                    TestServer.Request("big", change: request =>
                        request.Photos[0].Data = ByteString.CopyFrom(new byte[900 << 10])
                    )
                ),
            StatusCode.ResourceExhausted
        );

        Assert.Equal("BYTES_IN_FLIGHT", Refusal.Reason(refused));
        Assert.NotNull(Refusal.Detail<Google.Rpc.RetryInfo>(refused).RetryDelay);
        Assert.Empty((await server.Concepts.ListAsync(new())).Concepts);
        others.Dispose();
        Assert.Equal(0, bytes.Taken);
    }

    [Fact]
    public async Task Train_StreamThatIsOpen_HoldsNoPhotos()
    {
        await using var server = TestServer.Start();
        var bytes = server.Services.GetRequiredService<BytesInFlight>();
        using var call = server.Dti.Train(TestServer.Request("cat", steps: 100_000));
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        Assert.Equal(0, bytes.Taken);
        await server.Jobs.CancelAsync(new() { JobId = call.ResponseStream.Current.Accepted.JobId });
    }

    [Fact]
    public async Task Train_PhotosThatGrow_AreCountedBeforeTheyAreDecoded()
    {
        await using var server = TestServer.Start(options =>
            options with
            {
                Limits = new() { MaxPhotoMemoryBytes = 299 << 20 },
            }
        );
        var strip = new Engine.Imaging.RgbImage(512, 64, new byte[3 * 512 * 64]);
        var photo = ByteString.CopyFrom(Engine.Imaging.ImageCodec.Encode(strip, Engine.Imaging.ImageFormat.Png));
        var request = TestServer.Request("cat", change: asked =>
        {
            asked.Options.Resolution = 512;
            asked.Photos.Clear();
            asked.Photos.AddRange(
                Enumerable.Range(0, 50).Select(i => new Photo { FileName = $"{i}.png", Data = photo })
            );
        });
        var before = GC.GetTotalAllocatedBytes();

        // 50 × 4096 × 512 pixels take 300 MiB
        Assert.Equal(["photos"], await Refusal.Fields(() => server.TrainAsync(request)));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 64 << 20); // nothing of them was decoded

        var fits = server.Services.GetRequiredService<Libraries.ModelCache>();
        var profile = server.Services.GetRequiredService<Libraries.ModelLibrary>().Get(null);
        var target = server.Services.GetRequiredService<Engine.Runtime.Devices.ComputeTarget>();
        var settings = Engine.Training.TrainingSettings.Resolve(
            Mapping.OptionsMapping.ToEngine(request.Options, null),
            "cat",
            profile,
            () => 1
        );
        var photos = Engine.Training.TrainingSet.Measure(
            Mapping.PhotoMapping.ToPhotos(request, settings),
            512,
            server.Options.ImageLimits
        );
        Assert.Equal(50L * 4096 * 512 * 3, photos.HeldBytes);
        Assert.True(fits.WorkingBytes(profile, target, settings, photos) >= photos.HeldBytes);
    }

    [Fact]
    public void Account_OfOneCaller_LeavesTheOthersHalf()
    {
        var bytes = new BytesInFlight(new DtiServerOptions { ConceptFolder = "x", MaxMessageBytes = 1 << 20 }); // 4 MiB
        using var first = bytes.Open("anna");
        using var second = bytes.Open("anna");
        using var other = bytes.Open("bob");
        Assert.True(first.TryTake(1 << 20));
        Assert.True(second.TryTake(1 << 20));
        Assert.False(second.TryTake(1));
        Assert.True(other.TryTake(1 << 20));
        first.Dispose();
        Assert.True(second.TryTake(1));
    }

    [Fact]
    public void Account_AfterItIsClosed_TakesNothing()
    {
        var bytes = new BytesInFlight(new DtiServerOptions { ConceptFolder = "x" });
        var account = bytes.Open();
        Assert.True(account.TryTake(10));
        account.Dispose();
        Assert.True(account.TryTake(10));
        Assert.Equal(0, bytes.Taken);
    }
}
