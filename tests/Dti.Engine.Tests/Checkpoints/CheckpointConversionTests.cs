using System.Text.Json.Nodes;
using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Conversion;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tokenization;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Checkpoints;

public sealed class CheckpointConversionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-convert-");

    public static TheoryData<string> Families() =>
        [.. Fixtures.ModelFolders().Select(folder => Path.GetFileName(folder))];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("tiny-sd15", null)]
    [InlineData("tiny-sdxl", null)]
    [InlineData("tiny-sdxl", ScalarType.Float16)]
    public void Convert_SingleFileToFolderAndBack_KeepsEveryTensorBitForBit(string family, ScalarType? dtype)
    {
        var single = Path.Combine(Fixtures.Root, family, "single_file.safetensors");
        single = dtype is { } other
            ? Rewritten(single, tensors => tensors.ToDictionary(pair => pair.Key, pair => pair.Value.to(other)))
            : single;

        CheckpointConversion.ToFolder(
            ModelFamilies.BuiltIn.OpenFile(single, Folder(family)),
            At("folder"),
            CancellationToken.None
        );
        CheckpointConversion.Convert(At("folder"), At("back.safetensors"), TestContext.Current.CancellationToken);

        AssertSame(single, At("back.safetensors"));
    }

    [Fact]
    public void Convert_LayersBeyondTheModel_ComeBack()
    {
        CheckpointConversion.Convert(
            Path.Combine(Fixtures.Root, "tiny-sd21"),
            At("plain.safetensors"),
            TestContext.Current.CancellationToken
        );
        var single = Rewritten(At("plain.safetensors"), tensors => tensors
                // the layer that Stable Diffusion 2 leaves out
                .Append(new("cond_stage_model.model.transformer.resblocks.3.attn.in_proj_weight", rand(96, 32)))
                .Append(new("cond_stage_model.model.text_projection", rand(32, 40)))
                .Append(new("model_ema.num_updates", tensor(7L)))
                .ToDictionary());

        CheckpointConversion.ToFolder(
            ModelFamilies.BuiltIn.OpenFile(single, Folder("tiny-sd21")),
            At("folder"),
            CancellationToken.None
        );
        CheckpointConversion.Convert(At("folder"), At("back.safetensors"), TestContext.Current.CancellationToken);

        AssertSame(single, At("back.safetensors"));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Convert_FolderToSingleFileAndBack_KeepsEveryTensorBitForBit(string family)
    {
        var folder = Folder(family);

        CheckpointConversion.Convert(folder.Path, At("single.safetensors"), TestContext.Current.CancellationToken);
        CheckpointConversion.ToFolder(
            ModelFamilies.BuiltIn.OpenFile(At("single.safetensors"), folder),
            At("back"),
            CancellationToken.None
        );

        foreach (var component in (string[])[.. folder.TextEncoders, "unet", "vae"])
        {
            using var expected = folder.OpenWeights(component);
            using var actual = ModelFamilies.BuiltIn.Open(At("back")).OpenWeights(component);
            Assert.Equal(expected.Names.Order(), actual.Names.Order());
            Assert.All(expected.Names, name => Assert.Equal(Bytes(expected, name), Bytes(actual, name)));
        }

        Assert.Equal(Prediction(folder), Prediction(ModelFamilies.BuiltIn.OpenFile(At("single.safetensors"))));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Convert_ToFolder_LoadsWithItsOwnConfigsAndTokenizer(string family)
    {
        CheckpointConversion.Convert(
            Folder(family).Path,
            At("single.safetensors"),
            TestContext.Current.CancellationToken
        );
        CheckpointConversion.ToFolder(
            ModelFamilies.BuiltIn.OpenFile(At("single.safetensors"), Folder(family)),
            At("folder"),
            CancellationToken.None
        );

        using var model = StableDiffusionModel.Load(
            ModelFamilies.BuiltIn.Read(At("folder")),
            new ComputeTarget(CPU, ScalarType.Float32)
        );

        Assert.Equal(ModelFamilies.BuiltIn.Describe(Folder(family)).Family, model.Profile.Family);
        Assert.Equal(ModelFamilies.BuiltIn.Describe(Folder(family)).Noise, model.Profile.Noise);
    }

    /// <summary>
    /// Models trained as EDM or with zero terminal SNR say so in a single file, and again in a folder made of that.
    /// </summary>
    [Theory]
    [InlineData(
        """{"_class_name": "EDMDPMSolverMultistepScheduler"}""",
        """{"latents_mean": [-1.6574, 1.886, -1.383, 2.5155], "latents_std": [8.4927, 5.9022, 6.5498, 5.2299], "scaling_factor": 0.5}""",
        "edm_mean",
        "edm_std"
    )]
    [InlineData(
        """{"_class_name": "EDMEulerScheduler", "sigma_data": 1.0, "sigma_max": 120.0, "sigma_schedule": "exponential", "prediction_type": "v_prediction"}""",
        "{}",
        "edm_vpred.sigma_max",
        "edm_vpred.sigma_min"
    )]
    [InlineData(
        """{"_class_name": "EulerDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "v_prediction", "rescale_betas_zero_snr": true, "timestep_spacing": "trailing", "steps_offset": 1}""",
        "{}",
        "v_pred",
        "ztsnr"
    )]
    public void Convert_FolderTrainedOtherwise_KeepsItsMarksBothWays(
        string scheduler,
        string vae,
        params string[] marks
    )
    {
        var source = Fixtures.CopyModel("tiny-sdxl", At("source"));
        File.WriteAllText(Path.Combine(source, "scheduler", "scheduler_config.json"), scheduler);
        var path = Path.Combine(source, "vae", "config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        JsonNode.Parse(vae)!.AsObject().ToList().ForEach(pair => config[pair.Key] = pair.Value!.DeepClone());
        File.WriteAllText(path, config.ToJsonString());
        var folder = (ModelFolder)ModelFamilies.BuiltIn.Open(source);

        CheckpointConversion.Convert(source, At("single.safetensors"), TestContext.Current.CancellationToken);
        CheckpointConversion.ToFolder(
            ModelFamilies.BuiltIn.OpenFile(At("single.safetensors"), folder),
            At("folder"),
            CancellationToken.None
        );
        CheckpointConversion.Convert(At("folder"), At("again.safetensors"), TestContext.Current.CancellationToken);

        using var file = SafetensorsFile.Open(At("single.safetensors"));
        Assert.All(marks, mark => Assert.True(file.Tensors.ContainsKey(mark)));
        AssertSame(At("single.safetensors"), At("again.safetensors"));
        var published = ModelFamilies.BuiltIn.OpenFile(At("single.safetensors"));
        Assert.Equal(
            StableDiffusionNoise.Parse(folder.ReadConfig("scheduler")),
            StableDiffusionNoise.Parse(published.ReadConfig("scheduler"))
        );
        var statistics = LatentStatistics.Parse(new ComponentConfig("vae", folder.ReadConfig("vae")), 4);
        Assert.Equal(statistics, LatentStatistics.Parse(new ComponentConfig("vae", published.ReadConfig("vae")), 4));
    }

    [Fact]
    public void Convert_FolderThatNoMarksDescribe_IsRefusedWithTheWayOut()
    {
        var source = Fixtures.CopyModel("tiny-sdxl", At("source"));
        File.WriteAllText(
            Path.Combine(source, "scheduler", "scheduler_config.json"),
            """{"_class_name": "EDMEulerScheduler", "sigma_data": 0.7}"""
        );
        var error = Assert.Throws<DtiException>(() =>
            CheckpointConversion.Convert(source, At("single.safetensors"), TestContext.Current.CancellationToken)
        );
        Assert.Contains("Use the folder as it is", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<|endoftext|>")]
    [InlineData("!")]
    public void WritePublished_Folder_TokenizesAsTheTokenizerThatIsBuiltIn(string pad)
    {
        ClipTokenizer.WritePublished(_folder.FullName, pad);
        var (written, builtIn) = (ClipTokenizer.Load(_folder.FullName), ClipTokenizer.Published(pad));

        Assert.All(new[] { "", "a photo of a cat, 50% off!", "naïve Ωμέγα 猫 <|endoftext|> it's" }, prompt =>
            Assert.Equal(builtIn.Tokenize(prompt).InputIds, written.Tokenize(prompt).InputIds)
        );
    }

    [Fact]
    public void Convert_SomethingAtTheTarget_IsRefused()
    {
        File.WriteAllText(At("x.safetensors"), "mine");

        Assert.Throws<DtiException>(() =>
            CheckpointConversion.Convert(
                Folder("tiny-sd15").Path,
                At("x.safetensors"),
                TestContext.Current.CancellationToken
            )
        );

        Assert.Equal("mine", File.ReadAllText(At("x.safetensors")));
    }

    [Fact]
    public void Convert_FolderToANameWithoutTheEnding_IsRefused()
    {
        var error = Assert.Throws<DtiException>(() =>
            CheckpointConversion.Convert(Folder("tiny-sd15").Path, At("x"), TestContext.Current.CancellationToken)
        );
        Assert.Contains(".safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_FileWithoutAComponent_NamesIt()
    {
        var single = Rewritten(Path.Combine(Fixtures.Root, "tiny-sd15", "single_file.safetensors"), tensors =>
            tensors
                .Where(pair => !pair.Key.StartsWith(OriginalLayout.VaePrefix, StringComparison.Ordinal))
                .ToDictionary()
        );

        var error = Assert.Throws<DtiException>(() =>
            CheckpointConversion.ToFolder(
                ModelFamilies.BuiltIn.OpenFile(single, Folder("tiny-sd15")),
                At("folder"),
                CancellationToken.None
            )
        );

        Assert.Contains("no vae", error.Message, StringComparison.Ordinal);
        Assert.Equal(["rewritten.safetensors"], _folder.GetFileSystemInfos().Select(entry => entry.Name));
    }

    [Theory]
    [InlineData("single_file.safetensors", "folder")]
    [InlineData("", "x.safetensors")]
    public void Convert_Stopped_LeavesNothing(string source, string target)
    {
        var path = Path.Combine(Fixtures.Root, "tiny-sd15", source);
        Assert.Throws<OperationCanceledException>(() =>
            CheckpointConversion.Convert(
                Path.TrimEndingDirectorySeparator(path),
                At(target),
                new CancellationToken(canceled: true)
            )
        );
        Assert.Empty(_folder.GetFileSystemInfos());
    }

    private static ModelFolder Folder(string family) =>
        (ModelFolder)ModelFamilies.BuiltIn.Open(Path.Combine(Fixtures.Root, family));

    private static string? Prediction(Checkpoint checkpoint) =>
        checkpoint.ReadConfig("scheduler").GetProperty("prediction_type").GetString();

    private static byte[] Bytes(ComponentWeights weights, string name)
    {
        using var stream = new MemoryStream();
        weights.CopyTo(name, stream);
        return stream.ToArray();
    }

    private static void AssertSame(string expectedPath, string actualPath)
    {
        using var expected = SafetensorsFile.Open(expectedPath);
        using var actual = SafetensorsFile.Open(actualPath);
        Assert.Equal(expected.Metadata.OrderBy(text => text.Key), actual.Metadata.OrderBy(text => text.Key));
        Assert.Equal(expected.Tensors.Keys.Order(), actual.Tensors.Keys.Order());
        Assert.All(expected.Tensors.Values, entry =>
        {
            var other = actual.Tensors[entry.Name];
            Assert.Equal((entry.FileDtype, entry.ShapeText), (other.FileDtype, other.ShapeText));
            Assert.Equal(Stored(expected, entry), Stored(actual, other));
        });

        static byte[] Stored(SafetensorsFile file, SafetensorsEntry entry)
        {
            using var stream = new MemoryStream();
            file.CopyTo(entry, stream);
            return stream.ToArray();
        }
    }

    private string Rewritten(
        string path,
        Func<IEnumerable<KeyValuePair<string, Tensor>>, Dictionary<string, Tensor>> change
    )
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        SafetensorsWriter.Write(
            At("rewritten.safetensors"),
            change(file.Tensors.Keys.Select(name => KeyValuePair.Create(name, file.Read(name)))),
            file.Metadata
        );
        return At("rewritten.safetensors");
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
