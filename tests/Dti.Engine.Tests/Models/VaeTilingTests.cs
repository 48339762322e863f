using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Weights;
using Dti.Tests;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Tests.Models;

public class VaeTilingTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Theory]
    [InlineData(96, 96)]
    [InlineData(100, 64)]
    [InlineData(40, 132)]
    public void Run_HalfThatSeesNoNeighbours_GivesTheWhole(int height, int width)
    {
        using var scope = NewDisposeScope();
        var x = randn(2, 3, height, width);
        static Tensor Half(Tensor tile) => F.interpolate(tile, scale_factor: [2, 2], mode: InterpolationMode.Nearest);

        Golden.AssertClose(Half(x), VaeTiling.Run(x, 64, 128, Half), 1e-6);
    }

    /// <summary>diffusers' loops (AutoencoderKL.tiled_decode, blend_v, blend_h), element by element.</summary>
    [Theory]
    [InlineData(36, 36)]
    [InlineData(29, 41)]
    [InlineData(16, 17)]
    public void Run_TilesThatDiffer_AreBlendedAsDiffusersDoes(int height, int width)
    {
        using var scope = NewDisposeScope();
        const int tile = 16;
        var x = randn(1, 1, height, width);
        static Tensor Half(Tensor part) => part + part.mean();
        const int step = 12,
            extent = 4,
            limit = 12;
        var rows = new List<List<float[,]>>();
        for (var i = 0; i < height; i += step)
        {
            rows.Add([]);
            for (var j = 0; j < width; j += step)
            {
                rows[^1]
                    .Add(
                        Values(
                            Half(
                                x[
                                    0,
                                    0,
                                    TensorIndex.Slice(i, Math.Min(i + tile, height)),
                                    TensorIndex.Slice(j, Math.Min(j + tile, width))
                                ]
                            )
                        )
                    );
            }
        }

        var expected = new float[height, width];
        for (var i = 0; i < rows.Count; i++)
        {
            for (var j = 0; j < rows[i].Count; j++)
            {
                var b = rows[i][j];
                if (i > 0)
                {
                    var a = rows[i - 1][j];
                    var overlap = Math.Min(extent, Math.Min(a.GetLength(0), b.GetLength(0)));
                    Each(overlap, b.GetLength(1), (y, column) =>
                        b[y, column] = Mix(a[a.GetLength(0) - overlap + y, column], b[y, column], (float)y / overlap)
                    );
                }

                if (j > 0)
                {
                    var a = rows[i][j - 1];
                    var overlap = Math.Min(extent, Math.Min(a.GetLength(1), b.GetLength(1)));
                    Each(b.GetLength(0), overlap, (row, y) =>
                        b[row, y] = Mix(a[row, a.GetLength(1) - overlap + y], b[row, y], (float)y / overlap)
                    );
                }

                Each(Math.Min(limit, b.GetLength(0)), Math.Min(limit, b.GetLength(1)), (row, column) =>
                    expected[(i * limit) + row, (j * limit) + column] = b[row, column]
                );
            }
        }

        Golden.AssertClose(tensor(expected), VaeTiling.Run(x, tile, tile, Half)[0, 0], 1e-6);

        static float Mix(float a, float b, float share) => (a * (1 - share)) + (b * share);
    }

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void AutoencoderKL_PictureOfATile_IsTheSameToTheBit(string family)
    {
        using var scope = NewDisposeScope();
        var vae = models.Model(family).Vae;
        using var weights = new TiledVae(family, tile: 64);
        var (latent, image) = (randn(1, 4, 8, 8), randn(1, 3, 64, 40));

        Assert.Equal(vae.Decode(latent).data<float>().ToArray(), weights.Vae.Decode(latent).data<float>().ToArray());
        Assert.Equal(
            vae.Encode(image).Mean.data<float>().ToArray(),
            weights.Vae.Encode(image).Mean.data<float>().ToArray()
        );
    }

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void AutoencoderKL_LargePicture_IsCloseToTheWhole(string family)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var vae = models.Model(family).Vae;
        using var tiled = new TiledVae(family, tile: 128);
        var generator = new Generator(1, CPU);
        var (latent, image) = (
            randn([1, 4, 26, 34], generator: generator),
            randn([1, 3, 208, 272], generator: generator).clamp(-1, 1)
        );

        AssertNear(vae.Decode(latent), tiled.Vae.Decode(latent));
        AssertNear(vae.Encode(image).Mean, tiled.Vae.Encode(image).Mean);
    }

    /// <summary>
    /// Norms and attention see a tile instead of the whole, which in these random weights matters more than in trained
    /// ones: the results go together, and a tile in the wrong place would not.
    /// </summary>
    private static void AssertNear(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var (one, other) = (expected - expected.mean(), actual - actual.mean());
        var correlation = (one * other).sum().item<float>() / (one.norm() * other.norm()).item<float>();
        Assert.InRange(correlation, 0.7, 0.99999);
    }

    private static void Each(int rows, int columns, Action<int, int> action)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                action(row, column);
            }
        }
    }

    private static float[,] Values(Tensor x)
    {
        var values = new float[x.shape[0], x.shape[1]];
        Each(values.GetLength(0), values.GetLength(1), (row, column) =>
            values[row, column] = x[row, column].item<float>()
        );
        return values;
    }

    /// <summary>A fixture's autoencoder with small tiles.</summary>
    private sealed class TiledVae : IDisposable
    {
        private readonly ComponentWeights _weights;
        private readonly CheckpointWeightSource _source;

        public TiledVae(string family, int tile)
        {
            var profile = (StableDiffusionProfile)ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, family));
            _weights = profile.Checkpoint.OpenWeights("vae");
            _source = new CheckpointWeightSource(_weights, ScalarType.Float32, CPU);
            Vae = new AutoencoderKL(profile.VaeConfig, new WeightScope(_source), tile);
            _source.ReadAll();
        }

        public AutoencoderKL Vae { get; }

        public void Dispose()
        {
            _source.Dispose();
            _weights.Dispose();
        }
    }
}
