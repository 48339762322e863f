using System.Diagnostics;
using System.Globalization;
using Dti.Bench.Speed;
using Dti.Engine;
using Dti.Engine.Imaging;
using SkiaSharp;

namespace Dti.Bench.Images;

/// <summary>SkiaSharp and ImageSharp: mutated files, time and memory of large photos, what a file becomes.</summary>
internal static class ImageComparison
{
    public const string PeakVerb = "image-memory";

    public static IReadOnlyList<IImageDecoder> Decoders { get; } = [new SkiaDecoder(), new ImageSharpDecoder()];

    public static int Run(Arguments arguments)
    {
        var (count, seed, rounds) = (
            arguments.Number("--count", 100_000),
            arguments.Number("--seed", 1),
            arguments.Number("--rounds", 5)
        );
        Clock.Current = Clock.Processor;
        var table = new Table(["measurement", .. Decoders.Select(decoder => decoder.Name)]);
        Behaviour(table);
        Large(table, rounds);
        Mutated(table, count, seed);
        table.Save("images", Introduction(count, seed, rounds));
        return 0;
    }

    /// <summary>In a separate process: prints the memory that decoding a file takes, after a small one.</summary>
    public static int MeasurePeak(string library, string place)
    {
        var decoder = Decoders.Single(decoder => decoder.Name == library);
        foreach (var (_, sample) in SampleFiles.Small())
        {
            decoder.Decode(sample, ImageLimits.Default);
        }

        var file = File.ReadAllBytes(place);
        ProcessMemory.RestartPeak();
        var before = ProcessMemory.ResidentBytes;
        decoder.Decode(file, ImageLimits.Default);
        Console.Write(ProcessMemory.PeakBytes - before);
        return 0;
    }

    private static void Behaviour(Table table)
    {
        Row(table, "Display P3 (200, 100, 50) in sRGB; right is (215, 93, 31)", decoder => Pixel(decoder, DisplayP3()));
        Row(table, "CMYK JPEG; largest difference from the colours of its RGB version", decoder =>
            Difference(decoder, SampleFiles.Stored("cmyk.jpg"), SampleFiles.Stored("progressive.jpg"))
        );
        Row(table, "16-bit PNG (0x8020, 0x0110, 0xFE30); high bytes are (128, 1, 254)", decoder =>
            Pixel(decoder, SixteenBits())
        );
        foreach (
            var (name, file) in SampleFiles.Small().Where(sample => sample.Name is "jpeg" or "png" or "webp lossy")
        )
        {
            Row(table, $"{name}, cut off at 60 %", decoder => Verdict(decoder, file[..(int)(file.Length * 0.6)]));
        }

        Row(table, "EXIF orientation 6 of a JPEG of 40 × 28", decoder => Size(decoder, Turned(Sample("jpeg"))));
    }

    private static void Large(Table table, int rounds)
    {
        var samples = SampleFiles.Large();
        foreach (var (name, file) in samples)
        {
            var seconds = Decoders.Select(_ => new List<double>()).ToList();
            for (var round = 0; round <= rounds; round++) // the first warms up
            {
                for (var i = 0; i < Decoders.Count; i++)
                {
                    seconds[i].Add(Clock.Current.Seconds(() => Decoders[i].Decode(file, ImageLimits.Default)));
                }
            }

            string[] cells =
            [
                .. seconds.Select(all =>
                    $"{Table.Seconds(all.Skip(1).Order().ElementAt(rounds / 2))} s (least {Table.Seconds(all.Skip(1).Min())})"
                ),
            ];
            table.Add([$"{name}, 4000 × 3000, {file.Length / 1024} KiB: decoding", .. cells]);
            Row(table, $"{name}, 4000 × 3000: memory while decoding", decoder => $"{Peak(decoder, file)} MiB");
        }

        var photo = samples.First(sample => sample.Name == "jpeg").File;
        Row(table, "jpeg, 4000 × 3000: decoding at a quarter of its width and height", decoder =>
        {
            decoder.DecodeQuarter(photo);
            (int Width, int Height)? size = null;
            var seconds = Clock.Current.Seconds(() => size = decoder.DecodeQuarter(photo));
            return size is var (width, height) ? $"{Table.Seconds(seconds)} s ({width} × {height})" : "not offered";
        });
    }

    private static void Mutated(Table table, int count, int seed)
    {
        var outcomes = Decoders.Select(decoder => ImageFuzz.Run(decoder.Name, count, seed)).ToList();
        void Count(string what, Func<ImageFuzz.Outcome, string> cell) => table.Add([what, .. outcomes.Select(cell)]);
        string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

        Count($"{count} mutated files: decoded", outcome => Number(outcome.Decoded));
        Count("refused with a reason", outcome => Number(outcome.Refused));
        Count("failed with another exception", outcome => Number(outcome.Failed));
        Count("crashed the process", outcome => Number(outcome.Crashed));
        Count("took longer than 20 s", outcome => Number(outcome.Hung));
        Count("took more than 64 MiB", outcome => Number(outcome.BeyondMemory));
        Count("most memory of a file", outcome => $"{Table.Mebibytes(outcome.MostMemory)} MiB");
        Count("slowest file", outcome => $"{outcome.SlowestSeconds:F2} s");
        Count("the first failures by number", outcome =>
            outcome.Examples.Count == 0 ? "none" : string.Join("; ", outcome.Examples.Take(6))
        );
    }

    private static string Introduction(int count, int seed, int rounds) =>
        $"""
            # Image libraries

            SkiaSharp {Version(typeof(SKBitmap))} and ImageSharp {Version(
                typeof(SixLabors.ImageSharp.Image)
            )} behind the same checks: only JPEG, PNG, WebP, BMP and GIF, and a limit of
            pixels that is checked by the header. `dotnet run -c Release --project bench/Dti.Bench -- images --count {count} --seed {seed} --rounds {rounds}`

            Seconds are processor time of one thread, the median of {rounds}, both libraries in turn in one process. Memory of a large photo is the growth of resident memory.
            Mutated files have at most a million pixels by the limit and are decoded in another process. A file is reproduced by its number and the seed.
            """;

    private static string Version(Type type) =>
        FileVersionInfo.GetVersionInfo(type.Assembly.Location).ProductVersion!.Split('+')[0];

    private static void Row(Table table, string what, Func<IImageDecoder, string> cell) =>
        table.Add([what, .. Decoders.Select(cell)]);

    private static byte[] Sample(string name) => SampleFiles.Small().First(sample => sample.Name == name).File;

    private static string Pixel(IImageDecoder decoder, byte[] file)
    {
        var pixels = decoder.Decode(file, ImageLimits.Default).Pixels.Span;
        return $"({pixels[0]}, {pixels[1]}, {pixels[2]})";
    }

    private static string Size(IImageDecoder decoder, byte[] file)
    {
        var image = decoder.Decode(file, ImageLimits.Default);
        return $"{image.Width} × {image.Height}";
    }

    private static string Verdict(IImageDecoder decoder, byte[] file)
    {
        try
        {
            decoder.Decode(file, ImageLimits.Default);
            return "decoded without an error";
        }
        catch (DtiException)
        {
            return "refused";
        }
    }

    private static string Difference(IImageDecoder decoder, byte[] file, byte[] other)
    {
        var (left, right) = (
            decoder.Decode(file, ImageLimits.Default).Pixels.ToArray(),
            decoder.Decode(other, ImageLimits.Default).Pixels.ToArray()
        );
        return $"{left.Zip(right).Max(pair => Math.Abs(pair.First - pair.Second))} of 255";
    }

    private static string Peak(IImageDecoder decoder, byte[] file)
    {
        var place = Path.GetTempFileName();
        File.WriteAllBytes(place, file);
        var growth = ChildProcess.Output(Environment.ProcessPath!, PeakVerb, decoder.Name, place);
        File.Delete(place);
        return Table.Mebibytes(long.Parse(growth, CultureInfo.InvariantCulture));
    }

    private static byte[] DisplayP3()
    {
        using var space = SKColorSpace.CreateRgb(SKColorSpaceTransferFn.Srgb, SKColorSpaceXyz.DisplayP3);
        using var bitmap = new SKBitmap(new SKImageInfo(16, 16, SKColorType.Rgba8888, SKAlphaType.Opaque, space));
        var pixels = bitmap.GetPixelSpan();
        for (var i = 0; i < pixels.Length; i += 4)
        {
            (pixels[i], pixels[i + 1], pixels[i + 2], pixels[i + 3]) = (200, 100, 50, 255);
        }

        return bitmap.Encode(SKEncodedImageFormat.Png, 100).ToArray();
    }

    private static byte[] SixteenBits()
    {
        using var image = new SixLabors.ImageSharp.Image<SixLabors.ImageSharp.PixelFormats.Rgb48>(1, 1);
        image[0, 0] = new SixLabors.ImageSharp.PixelFormats.Rgb48(0x8020, 0x0110, 0xFE30);
        using var stream = new MemoryStream();
        SixLabors.ImageSharp.ImageExtensions.SaveAsPng(
            image,
            stream,
            new SixLabors.ImageSharp.Formats.Png.PngEncoder
            {
                BitDepth = SixLabors.ImageSharp.Formats.Png.PngBitDepth.Bit16,
                ColorType = SixLabors.ImageSharp.Formats.Png.PngColorType.Rgb,
            }
        );
        return stream.ToArray();
    }

    /// <summary>The JPEG with an EXIF orientation of 6.</summary>
    private static byte[] Turned(byte[] jpeg)
    {
        byte[] segment =
        [
            .. (ReadOnlySpan<byte>)[0xFF, 0xE1, 0, 34],
            .. "Exif\0\0II*\0"u8,
            .. (ReadOnlySpan<byte>)[8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0],
        ];
        return [.. jpeg[..2], .. segment, .. jpeg[2..]];
    }
}
