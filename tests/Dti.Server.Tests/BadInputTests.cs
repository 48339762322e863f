using System.Buffers.Binary;
using System.Diagnostics;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace Dti.Server.Tests;

/// <summary>
/// Each kind of bad input gets a status with details that says what to change, and the server goes on.
/// </summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private readonly TestServer _server = TestServer.Start();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Train_NoPhotos_NamesPhotos() =>
        Assert.Equal(["photos"], await FieldsOf(request => request.Photos.Clear()));

    [Fact]
    public async Task Train_TwoHundredPhotos_NamesPhotos() =>
        Assert.Equal(
            ["photos"],
            await FieldsOf(request => request.Photos.Add(Enumerable.Repeat(TestServer.Photo(), 198)))
        );

    [Fact]
    public async Task Train_TextNamedPng_NamesThePhoto() =>
        Assert.Equal(
            ["photos[1]"],
            await FieldsOf(request => request.Photos[1] = Photo("notes.png", "I am not a picture"u8.ToArray()))
        );

    [Fact]
    public async Task Train_HugePngHeader_IsRefusedBeforePixels()
    {
        // A valid signature and header of 50,000 × 50,000 pixels, and nothing else.
        var header = new byte[33];
        new byte[]
        {
            0x89,
            (byte)'P',
            (byte)'N',
            (byte)'G',
            13,
            10,
            26,
            10,
            0,
            0,
            0,
            13,
            (byte)'I',
            (byte)'H',
            (byte)'D',
            (byte)'R',
        }.CopyTo(header, 0);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(16), 50_000);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(20), 50_000);
        (header[24], header[25]) = (8, 2);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(29), Crc32(header.AsSpan(12, 17)));

        Assert.Equal(["photos[0]"], await FieldsOf(request => request.Photos[0] = Photo("huge.png", header)));
    }

    [Fact]
    public async Task Train_TruncatedJpeg_NamesThePhoto()
    {
        var jpeg = Dti.Engine.Imaging.ImageCodec.Encode(
            new Dti.Engine.Imaging.RgbImage(
                200,
                200,
                Enumerable.Range(0, 120_000).Select(i => (byte)(i * 7919)).ToArray()
            ),
            Dti.Engine.Imaging.ImageFormat.Jpeg
        );
        Assert.Equal(
            ["photos[0]"],
            await FieldsOf(request => request.Photos[0] = Photo("half.jpg", jpeg[..(jpeg.Length / 2)]))
        );
    }

    [Fact]
    public async Task Train_UnknownModel_ListsCloseNames()
    {
        var error = await Refusal.Of(
            () => _server.TrainAsync(TestServer.Request("cat", change: r => r.Options.Model = "tiny-sd16")),
            StatusCode.NotFound
        );
        Assert.Equal("MODEL_NOT_FOUND", Refusal.Reason(error));
        Assert.Equal("tiny-sd15", Refusal.Detail<ErrorInfo>(error).Metadata["close"]);
        Assert.Contains("tiny-sd15", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generate_UnknownScheduler_ListsTheKnownOnes()
    {
        var error = await Refusal.Of(
            () => _server.GenerateAsync(Change(TestServer.Draw("a dog"), o => o.Scheduler = "heun")),
            StatusCode.InvalidArgument
        );
        Assert.Equal("options.scheduler", Refusal.Detail<BadRequest>(error).FieldViolations.Single().Field);
        Assert.Contains("ddim, dpmpp_2m", error.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fp8")]
    [InlineData("fp16")] // known, but not on a CPU
    public async Task Generate_UnusableDtype_NamesTheField(string dtype) =>
        Assert.Equal(
            ["options.dtype"],
            await Refusal.Fields(() => _server.GenerateAsync(Change(TestServer.Draw("a dog"), o => o.Dtype = dtype)))
        );

    [Theory]
    [InlineData("../evil")]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("CON")]
    [InlineData(".hidden")]
    public async Task Train_NameThatIsNoIdentifier_NamesTheField(string name) =>
        Assert.Equal(["name"], await FieldsOf(request => request.Name = name));

    [Theory]
    [InlineData("cat")]
    [InlineData("<|endoftext|>")]
    [InlineData("<a b>")]
    public async Task Train_PlaceholderThatIsTakenOrMisshapen_NamesTheField(string placeholder) =>
        Assert.Equal(["options.placeholder"], await FieldsOf(request => request.Options.Placeholder = placeholder));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1_000_000_000)]
    public async Task Train_StepsOutOfRange_NamesTheField(int steps) =>
        Assert.Equal(["options.steps"], await FieldsOf(request => request.Options.Steps = steps));

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task Train_LearningRateThatIsNoStep_NamesTheField(double rate) =>
        Assert.Equal(["options.learning_rate"], await FieldsOf(request => request.Options.LearningRate = rate));

    [Fact]
    public async Task Train_SizeNotDivisibleByEight_NamesTheField() =>
        Assert.Equal(["options.resolution"], await FieldsOf(request => request.Options.Resolution = 100));

    [Fact]
    public async Task Generate_SizesNotDivisibleByEight_NamesBoth() =>
        Assert.Equal(
            ["options.width", "options.height"],
            await Refusal.Fields(() =>
                _server.GenerateAsync(Change(TestServer.Draw("a dog"), o => (o.Width, o.Height) = (65, 8)))
            )
        );

    [Fact]
    public async Task Train_EverythingWrong_NamesEveryFieldAtOnce()
    {
        var fields = await FieldsOf(request =>
        {
            request.Name = "../x";
            request.RequestId = "no spaces please";
            request.Photos[0] = Photo("a.png", [1, 2, 3]);
            request.Options.Steps = 0;
            request.Options.Beta = 1;
            request.Options.Kappa = -1;
            request.Options.Dtype = "int4";
            request.Options.Kind = (ConceptKind)9;
            request.Options.Method = (TrainingMethod)9;
        });

        Assert.Superset(
            new HashSet<string>
            {
                "name",
                "request_id",
                "photos[0]",
                "options.steps",
                "options.beta",
                "options.kappa",
                "options.dtype",
                "options.kind",
                "options.method",
            },
            fields.ToHashSet()
        );
    }

    [Fact]
    public async Task Train_InitializerOfSeveralTokens_TrainsSeveralVectorsAndSaysSo()
    {
        var events = await _server.TrainAsync(
            TestServer.Request("gadget", change: r => r.Options.Initializer = "supercalifragilistic")
        );

        var settings = events[0].Accepted.Settings;
        Assert.True(settings.NumVectors > 1);
        Assert.Equal(settings.NumVectors, settings.InitializerTokens.Count);
        Assert.Equal("INITIALIZER_SPLIT", events.Single(e => e.Warning is not null).Warning.Code);
        Assert.Equal(
            settings.NumVectors,
            (await _server.Concepts.GetAsync(new ConceptServiceGetRequest { Name = "gadget" })).Concept.NumVectors
        );
    }

    [Fact]
    public async Task Generate_PromptOver77TokensToBeCut_WarnsWithTheWordsThatWereCut()
    {
        var options = TestServer.Draw(string.Join(' ', Enumerable.Repeat("a", 75)) + " on the beach");
        options.LongPrompts = LongPrompts.Cut;
        var events = await _server.GenerateAsync(options);

        var warning = events.Single(e => e.Warning is not null).Warning;
        Assert.Equal("PROMPT_TOO_LONG", warning.Code);
        Assert.EndsWith("on the beach", warning.Message, StringComparison.Ordinal);
        Assert.Single(events, e => e.Picture is not null);
    }

    [Fact]
    public async Task Generate_UnknownConceptInPrompt_ListsCloseNames()
    {
        await _server.TrainAsync(TestServer.Request("my-cat"));
        var error = await Refusal.Of(
            () => _server.GenerateAsync(TestServer.Draw("a photo of <my-cet>")),
            StatusCode.NotFound
        );
        Assert.Equal("<my-cat>", Refusal.Detail<ErrorInfo>(error).Metadata["close"]);
    }

    [Fact]
    public async Task Import_FileThatIsNoEmbedding_NamesData()
    {
        foreach (
            var data in new[]
            {
                "PK\u0003\u0004"u8.ToArray(),
                [1, 2, 3],
                File.ReadAllBytes(
                    Path.Combine(Fixtures.Root, "tiny-sd15", "vae", "diffusion_pytorch_model.safetensors")
                ),
            }
        )
        {
            var request = new ConceptServiceImportRequest { Name = "x", Data = ByteString.CopyFrom(data) };
            Assert.Equal(["data"], await Refusal.Fields(async () => await _server.Concepts.ImportAsync(request)));
        }
    }

    [Fact]
    public async Task Generate_CorruptWeights_NamesTheFileAndLeavesTheOtherModelServing()
    {
        var broken = Directory.CreateTempSubdirectory("dti-broken-");
        var good = Path.Combine(Fixtures.Root, "tiny-sd15");
        Fixtures.CopyModel("tiny-sd15", Path.Combine(broken.FullName, "broken"));

        var unet = Path.Combine(broken.FullName, "broken", "unet", "diffusion_pytorch_model.safetensors");
        File.WriteAllBytes(unet, File.ReadAllBytes(unet)[..^1000]);
        await using var server = TestServer.Start(options => options with { ModelFolders = [good, broken.FullName] });

        var error = await Refusal.Of(
            () => server.GenerateAsync(Change(TestServer.Draw("a dog"), o => o.Model = "broken")),
            StatusCode.FailedPrecondition
        );
        Assert.Contains("diffusion_pytorch_model.safetensors", error.Status.Detail, StringComparison.Ordinal);
        Assert.Contains((await server.Models.ListAsync(new())).Models, model =>
            model.Name == "broken" && model.Problem.Length > 0
        );
        Assert.NotEmpty(await server.PictureAsync(Change(TestServer.Draw("a dog"), o => o.Model = "tiny-sd15")));
        broken.Delete(recursive: true);
    }

    [Fact]
    public async Task Train_FullDisk_SaysSoAndLeavesNothingHalfWritten()
    {
        var disk = Directory.CreateTempSubdirectory("dti-full-");
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk.FullName),
            "this user may not mount a small disk"
        );
        try
        {
            await using var server = TestServer.Start(options =>
                options with
                {
                    ConceptFolder = disk.FullName,
                    MinFreeDiskBytes = 0,
                }
            );
            await server.TrainAsync(TestServer.Request("before"));
            using (var filler = File.Create(Path.Combine(disk.FullName, "filler")))
            {
                Assert.ThrowsAny<IOException>(() => Fill(filler));
            }

            var error = await Refusal.Of(
                () => server.TrainAsync(TestServer.Request("after")),
                StatusCode.ResourceExhausted
            );

            Assert.Contains("disk is full", error.Status.Detail, StringComparison.Ordinal);
            Assert.NotNull(Refusal.Detail<RetryInfo>(error).RetryDelay);
            Assert.Equal("before", Assert.Single((await server.Concepts.ListAsync(new())).Concepts).Name);
            Assert.DoesNotContain(Directory.GetFiles(disk.FullName), file =>
                Path.GetFileName(file).StartsWith("after", StringComparison.Ordinal)
            );
            Assert.NotEmpty(await server.PictureAsync(TestServer.Draw("a photo of <before>")));
        }
        finally
        {
            Run("umount", "-l", disk.FullName);
            disk.Delete();
        }
    }

    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
            }
        }

        return ~crc;
    }

    private static void Fill(FileStream filler)
    {
        while (true)
        {
            filler.Write(new byte[4096]);
            filler.Flush();
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static Photo Photo(string name, byte[] data) => new() { FileName = name, Data = ByteString.CopyFrom(data) };

    private static GenerationOptions Change(GenerationOptions options, Action<GenerationOptions> change)
    {
        change(options);
        return options;
    }

    private Task<string[]> FieldsOf(Action<TrainRequest> change) =>
        Refusal.Fields(() => _server.TrainAsync(TestServer.Request("x", change: change)));
}
