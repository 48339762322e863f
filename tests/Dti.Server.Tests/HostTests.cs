using System.Net;
using System.Net.Http.Headers;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Tests.Infrastructure;
using Grpc.Core;
using Grpc.Reflection.V1Alpha;

namespace Dti.Server.Tests;

public class HostTests
{
    [Fact]
    public async Task Reflection_V1Alpha_ListsEveryService()
    {
        await using var server = TestServer.Start();
        using var channel = server.NewChannel();
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));

        Assert.Superset(
            new HashSet<string>
            {
                "dti.v1.DtiService",
                "dti.v1.JobService",
                "dti.v1.ClusterService",
                "dti.v1.ConceptService",
                "dti.v1.ModelService",
                "dti.v1.ServerService",
                "grpc.health.v1.Health",
            },
            call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name).ToHashSet()
        );
    }

    [Fact]
    public async Task Server_Asked_TellsVersionDeviceAndTorch()
    {
        await using var server = TestServer.Start(options =>
            options with
            {
                Device = "cpu",
                Dtype = "bf16",
                Memory = "low",
            }
        );
        var info = (await server.Server.GetAsync(new())).Server;
        Assert.Equal(("cpu", "bf16", "low"), (info.Device, info.Dtype, info.Memory));
        Assert.Matches(@"^\d+\.\d+\.\d+$", info.Version);
        Assert.StartsWith("2.", info.TorchVersion, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_FixtureFolder_IsListedAsDefault()
    {
        await using var server = TestServer.Start();
        var model = Assert.Single((await server.Models.ListAsync(new())).Models);
        Assert.Equal(
            ("tiny-sd15", "sd1", 128, 32, true, ""),
            (model.Name, model.Family, model.Resolution, model.EmbeddingDimension, model.IsDefault, model.Problem)
        );
        Assert.InRange(model.SizeBytes, 1_300_000, 1_500_000);
    }

    [Fact]
    public async Task Models_FixtureFolder_TellsDtypePathAndMemory()
    {
        await using var server = TestServer.Start(options => options with { ModelMemoryBytes = 2_000_000 });
        var list = await server.Models.ListAsync(new());
        var model = Assert.Single(list.Models);
        Assert.Equal(
            ("fp32", "tiny-sd15", true, 2_000_000),
            (model.Dtype, model.Path, model.Fits, list.MemoryBudgetBytes)
        );
        Assert.Equal(model.SizeBytes, model.MemoryBytes); // stored in fp32, held in fp32
    }

    /// <summary>
    /// A caller that went away while its request was on its way was told as a fault of the server's, in the log and in
    /// the metrics.
    /// </summary>
    [Fact]
    public async Task Call_CallerGoesAwayInItsRequest_IsNoErrorOfTheServer()
    {
        await using var server = TestServer.Start(); // fails if an error is logged
        using var http = new HttpClient
        {
            BaseAddress = server.Address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        for (var time = 0; time < 5; time++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/dti.v1.ConceptService/List")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new HalfAMessage(),
            };
            request.Headers.TE.ParseAdd("trailers");
            await Assert.ThrowsAnyAsync<HttpRequestException>(() =>
                http.SendAsync(request, TestContext.Current.CancellationToken)
            );
        }

        Assert.Empty((await server.Concepts.ListAsync(new())).Concepts);
    }

    [Fact]
    public async Task Build_ListOfFoldersThatIsNoYaml_SaysWhereBeforeTheServerStarts()
    {
        var folder = Directory.CreateTempSubdirectory("dti-yaml-");
        var list = Path.Combine(folder.FullName, "extra_model_paths.yaml");
        await File.WriteAllTextAsync(list, "comfyui:\n  base_path: [", TestContext.Current.CancellationToken);

        var error = Assert.Throws<DtiException>(() =>
            DtiHost.Build(new DtiServerOptions { ConceptFolder = folder.FullName, ModelFolders = [list] })
        );

        Assert.Contains($"{list} is not valid YAML at line", error.Message, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Generate_NoModelAnywhere_SaysWhereItLooked()
    {
        var empty = Directory.CreateTempSubdirectory("dti-empty-");
        await using var server = TestServer.Start(options => options with { ModelFolders = [empty.FullName] });
        var error = await Refusal.Of(
            () => server.GenerateAsync(TestServer.Draw("a dog")),
            StatusCode.FailedPrecondition
        );
        Assert.Contains(empty.Name, error.Status.Detail, StringComparison.Ordinal);
        empty.Delete();
    }

    [Fact]
    public void Build_WrongOptions_NamesThemAll()
    {
        var options = new DtiServerOptions
        {
            ConceptFolder = " ",
            Address = "0.0.0.0",
            Port = 70_000,
            WebPort = -1,
            WebOrigins = ["http://a/b"],
            ModelMemoryBytes = 0,
            JobMemoryBytes = 0,
            Memory = "tiny",
            MaxMessageBytes = 1,
            MaxQueuedJobs = 0,
            JobHistory = 0,
            MetricsPort = 65_536,
            MetricsAddress = "here",
            DrainTime = TimeSpan.FromDays(1),
            KeepAlive = TimeSpan.Zero,
            LogFormat = "xml",
            PerCaller = new() { MaxQueuedJobs = 0, MaxPicturesPerHour = -1 },
            MinFreeDiskBytes = -1,
            ImageLimits = new() { MaxSide = 0 },
            Limits = new() { MaxPhotos = 51, MaxPixels = 1 },
        };
        var error = Assert.Throws<ValidationException>(() => DtiHost.Build(options));
        Assert.Equal(
            [
                "Address",
                "Security.TokenFile",
                "Port",
                "WebPort",
                "MetricsPort",
                "MetricsAddress",
                "WebOrigins",
                "ModelMemoryBytes",
                "JobMemoryBytes",
                "Memory",
                "MaxMessageBytes",
                "MaxQueuedJobs",
                "JobHistory",
                "Limits.MaxPhotos",
                "Limits.MaxPixels",
                "PerCaller.MaxQueuedJobs",
                "PerCaller.MaxPicturesPerHour",
                "ImageLimits.MaxSide",
                "DrainTime",
                "KeepAlive",
                "LogFormat",
                "MinFreeDiskBytes",
                "ConceptFolder",
            ],
            error.Violations.Select(violation => violation.Field)
        );
    }

    [Fact]
    public async Task Train_MessageOverTheLimit_IsRefusedAsExhausted()
    {
        await using var server = TestServer.Start(options => options with { MaxMessageBytes = 1 << 20 });
        var request = TestServer.Request("big", change: r =>
            r.Photos[0].Data = Google.Protobuf.ByteString.CopyFrom(new byte[2 << 20])
        );
        var error = await Refusal.Of(() => server.TrainAsync(request), StatusCode.ResourceExhausted);
        Assert.Equal("MESSAGE_TOO_LARGE", Refusal.Reason(error));
        Assert.StartsWith(
            "The request is larger than the 1 MiB that this server takes at once. Send fewer photos",
            error.Status.Detail,
            StringComparison.Ordinal
        );
    }

    private sealed class HalfAMessage : HttpContent
    {
        public HalfAMessage() => Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[] { 0, 0, 0, 0, 100, 1, 2, 3 }); // 3 bytes of 100
            await stream.FlushAsync();
            await Task.Delay(100);
            throw new IOException("the caller goes away");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
