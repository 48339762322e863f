using System.Globalization;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Kernels;

namespace Dti.Bench.Speed;

/// <summary>
/// The kernels of SD 1.5's denoiser in each way and both dtypes: what channels-last, packed weights and bf16 are worth
/// on this machine.
/// </summary>
internal static class LayoutProbe
{
    private static readonly (string X, string W, long Stride)[] _convolutions =
    [
        ("320x64x64", "320x320x3x3", 1),
        ("640x32x32", "640x640x3x3", 1),
        ("1280x16x16", "1280x1280x3x3", 1),
        ("1280x8x8", "1280x1280x3x3", 1),
        ("960x64x64", "320x960x3x3", 1),
        ("320x64x64", "320x320x1x1", 1),
    ];

    private static readonly (string X, string W)[] _others =
    [
        ("4096x320", "2560x320"),
        ("4096x320", "320x320"),
        ("4096x320", "960x320"),
        ("1024x640", "5120x640"),
    ];

    private static readonly (string X, string W)[] _attentions =
    [
        ("8x4096x40", "8x4096x40"),
        ("8x1024x80", "8x1024x80"),
        ("8x4096x40", "8x77x40"),
    ];

    public static int Run(Arguments arguments)
    {
        MaskedConstants.Load();
        var batch = arguments.Number("--batch", 2);
        var backward = arguments.Has("--backward");
        var dtypes = arguments.Text("--dtypes", "fp32,bf16").Split(',');
        var table = new Table([
            "op",
            "x",
            "w",
            "times",
            .. dtypes.SelectMany(dtype => new[] { $"{dtype} plain", "channels-last", "packed" }),
        ]);
        var chosen = SpeedCase.All.SingleOrDefault(one => one.Name == arguments.Text("--case", ""));
        var kernels = chosen?.Kernels(
            (StableDiffusionProfile)ModelFamilies.BuiltIn.Read(SpeedBench.Model(chosen.Model, arguments))
        )
            ?? _convolutions
                .Select(conv => new Kernel(
                    "conv",
                    $"{batch}x{conv.X}",
                    conv.W,
                    conv.Stride,
                    conv.W.EndsWith("1x1", StringComparison.Ordinal) ? 0 : 1,
                    Backward: backward
                ))
                .Concat(
                    _others.Select(linear => new Kernel("linear", $"{batch}x{linear.X}", linear.W, Backward: backward))
                )
                .Concat(
                    _attentions.Select(attention => new Kernel(
                        "attention",
                        $"{batch}x{attention.X}",
                        $"{batch}x{attention.W}",
                        Backward: backward
                    ))
                )
                .ToDictionary(kernel => kernel, _ => 1);
        foreach (var (kernel, times) in kernels.OrderByDescending(kernel => kernel.Key.Flops * kernel.Value))
        {
            string Time(string dtype, Kernel.Way way)
            {
                var target = ComputeTarget.Resolve("cpu", dtype);
                if (!kernel.Ways(target).Contains(way))
                {
                    return "";
                }

                var (forward, back) = kernel.Run(target, 3, way);
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{forward * 1e3:F1}{(kernel.Backward ? $" + {back * 1e3:F1}" : "")}"
                );
            }

            var ways = Enum.GetValues<Kernel.Way>();
            table.Add([
                kernel.Op,
                kernel.X,
                kernel.W,
                $"{times}",
                .. dtypes.SelectMany(dtype => ways.Select(way => Time(dtype, way))),
            ]);
        }

        return 0;
    }
}
