using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>The fixture models that this build supports, loaded once.</summary>
public sealed class ModelFixture : IDisposable
{
    private readonly Dictionary<string, StableDiffusionModel> _loaded = [];

    /// <summary>Names of fixture folders, for <c>[MemberData]</c>.</summary>
    public static TheoryData<string> AllFamilies() =>
        [.. Fixtures.ModelFolders().Select(folder => Path.GetFileName(folder))];

    /// <summary>Those with one text encoder.</summary>
    public static TheoryData<string> Families() =>
        [.. Fixtures.ModelFolders().Where(HasOneTextEncoder).Select(folder => Path.GetFileName(folder))];

    public StableDiffusionModel Model(string family)
    {
        if (!_loaded.TryGetValue(family, out var model))
        {
            model = StableDiffusionModel.Load(
                ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, family)),
                new ComputeTarget(CPU, ScalarType.Float32)
            );
            _loaded.Add(family, model);
        }

        return model;
    }

    public void Dispose()
    {
        foreach (var model in _loaded.Values)
        {
            model.Dispose();
        }
    }

    /// <summary>The same model, its weights packed although it is small. Skips the test where they cannot be.</summary>
    /// <param name="like">The model.</param>
    /// <param name="memory">What is traded for memory besides; null: nothing.</param>
    /// <param name="target">Where it computes; null: where the other one does.</param>
    internal static StableDiffusionModel Packed(
        StableDiffusionModel like,
        MemoryPolicy? memory = null,
        ComputeTarget? target = null
    )
    {
        Assert.SkipUnless(like.Target.CanPackWeights, "this libtorch has no oneDNN");
        return StableDiffusionModel.Load(
            like.Profile,
            target ?? like.Target,
            (memory ?? MemoryPolicy.High) with
            {
                PacksWeights = true,
            }
        );
    }

    internal static string Expected(string family, string file) =>
        FixtureUse.Note(Path.Combine(Fixtures.Root, family, "expected", file));

    private static bool HasOneTextEncoder(string folder) =>
        File.ReadAllText(Path.Combine(folder, "model_index.json"))
            .Contains("\"StableDiffusionPipeline\"", StringComparison.Ordinal);
}
