using SkiaSharp;
using static Dti.Mini.World.Paths;

namespace Dti.Mini.World;

/// <summary>
/// One painted piece of a backdrop, in the picture's unit square (it reaches a little beyond, for the camera's jitter).
/// </summary>
/// <param name="Path">The outline.</param>
/// <param name="Top">Colour at the top of the outline.</param>
/// <param name="Bottom">Colour at its bottom; the same for an even fill.</param>
/// <param name="Outlined">Whether drawn styles give it a line.</param>
internal sealed record BackdropPiece(SKPath Path, SKColor Top, SKColor Bottom, bool Outlined = true);

/// <summary>The places, drawn from simple pieces whose sizes and positions vary with the seed.</summary>
internal static class Backdrops
{
    /// <summary>The height in the picture at which objects stand, from 0 (top) to 1.</summary>
    public const float Ground = 0.80f;

    /// <summary>Pieces of a place, back to front.</summary>
    public static IReadOnlyList<BackdropPiece> Draw(Place place, Dice dice) =>
        place switch
        {
            Place.Snow => Snow(dice),
            Place.Desert => Desert(dice),
            Place.Beach => Beach(dice),
            Place.Meadow => Meadow(dice),
            Place.Forest => Forest(dice),
            Place.Mountains => Mountains(dice),
            Place.City => City(dice),
            Place.NightSea => NightSea(dice),
            Place.Kitchen => Kitchen(dice),
            Place.Library => Library(dice),
            Place.Underwater => Underwater(dice),
            Place.Space => Space(dice),
            _ => throw new ArgumentOutOfRangeException(nameof(place)),
        };

    private static List<BackdropPiece> Snow(Dice dice)
    {
        var horizon = dice.Range(0.5f, 0.6f);
        List<BackdropPiece> pieces =
        [
            Sky(0xA9C9E8, 0xE6F0F8),
            Hills(dice, horizon - 0.06f, 0.05f, 0xC6D8EA, 0xDDE9F4),
            Hills(dice, horizon, 0.03f, 0xFFFFFF, 0xDCE8F4),
        ];
        foreach (var x in dice.Spread(3))
        {
            pieces.AddRange(Fir(x, horizon + dice.Range(0, 0.04f), dice.Range(0.16f, 0.26f), 0x5F8577));
        }

        for (var i = 0; i < 22; i++)
        {
            pieces.Add(
                Even(
                    Circle(dice.Range(-0.05f, 1.05f), dice.Range(-0.05f, 1.05f), dice.Range(0.006f, 0.013f)),
                    0xFFFFFF,
                    outlined: false
                )
            );
        }

        return pieces;
    }

    private static List<BackdropPiece> Desert(Dice dice)
    {
        var horizon = dice.Range(0.48f, 0.58f);
        return
        [
            Sky(0x6FB6DD, 0xFBE3B5),
            Even(Circle(dice.Range(0.15f, 0.85f), dice.Range(0.1f, 0.22f), 0.07f), 0xFFF3C4),
            Hills(dice, horizon - 0.05f, 0.06f, 0xD99B55, 0xC98545),
            Hills(dice, horizon + 0.04f, 0.05f, 0xEDBE77, 0xE0A85E),
            Hills(dice, horizon + 0.2f, 0.04f, 0xF3CB88, 0xE3B06A),
        ];
    }

    private static List<BackdropPiece> Beach(Dice dice)
    {
        var horizon = dice.Range(0.42f, 0.48f);
        List<BackdropPiece> pieces =
        [
            Sky(0x5DB7EA, 0xD3EEF9),
            Band(horizon, 0.7f, 0x1F93BE, 0x5CCBD3),
            Hills(dice, 0.62f, 0.015f, 0xFFFFFF, 0xFFFFFF),
            Hills(dice, 0.645f, 0.015f, 0xF4DDA6, 0xE6C684),
        ];
        foreach (var x in dice.Spread(2))
        {
            pieces.AddRange(Cloud(x, dice.Range(0.1f, 0.25f), dice.Range(0.06f, 0.1f)));
        }

        return pieces;
    }

    private static List<BackdropPiece> Meadow(Dice dice)
    {
        var horizon = dice.Range(0.5f, 0.58f);
        List<BackdropPiece> pieces = [Sky(0x77BDEB, 0xDFF1F8)];
        foreach (var x in dice.Spread(2))
        {
            pieces.AddRange(Cloud(x, dice.Range(0.1f, 0.26f), dice.Range(0.06f, 0.1f)));
        }

        pieces.Add(Hills(dice, horizon - 0.03f, 0.05f, 0x8CC36A, 0x7DB65D));
        pieces.Add(Hills(dice, horizon + 0.06f, 0.03f, 0x72B44F, 0x4F9A3C));
        uint[] petals = [0xFFFFFF, 0xF9DF6B, 0xF2A6C4];
        for (var i = 0; i < 16; i++)
        {
            pieces.Add(
                Even(
                    Circle(dice.Range(-0.05f, 1.05f), dice.Range(horizon + 0.12f, 1.05f), 0.012f),
                    petals[dice.Int(petals.Length)],
                    outlined: false
                )
            );
        }

        return pieces;
    }

    private static List<BackdropPiece> Forest(Dice dice)
    {
        List<BackdropPiece> pieces = [Sky(0xA6CFA0, 0xE4EFC9)];
        foreach (var x in dice.Spread(7))
        {
            pieces.Add(Even(Box(x - 0.02f, -0.1f, x + 0.02f, 0.7f), 0x8FA986, outlined: false));
        }

        foreach (var x in dice.Spread(5))
        {
            var half = dice.Range(0.028f, 0.045f);
            pieces.Add(
                new BackdropPiece(
                    Polygon(x - half, -0.1f, x + half, -0.1f, x + (half * 1.25f), 0.72f, x - (half * 1.25f), 0.72f),
                    Rgb(0x6B4A32),
                    Rgb(0x553823)
                )
            );
        }

        foreach (var x in dice.Spread(6))
        {
            pieces.Add(
                Even(Oval(x, dice.Range(-0.03f, 0.06f), dice.Range(0.12f, 0.18f), dice.Range(0.08f, 0.13f)), 0x3F7A3C)
            );
        }

        pieces.Add(Hills(dice, 0.66f, 0.03f, 0x5B8B3F, 0x3C6A2E));
        return pieces;
    }

    private static List<BackdropPiece> Mountains(Dice dice)
    {
        List<BackdropPiece> pieces = [Sky(0x86B4E0, 0xEAF0F4)];
        foreach (var x in dice.Spread(3))
        {
            var (top, half) = (dice.Range(0.12f, 0.26f), dice.Range(0.28f, 0.36f));
            pieces.Add(
                new BackdropPiece(Polygon(x, top, x + half, 0.68f, x - half, 0.68f), Rgb(0x7C8AA3), Rgb(0x5C6C88))
            );
            pieces.Add(
                Even(
                    Polygon(
                        x,
                        top,
                        x + (half * 0.3f),
                        top + ((0.68f - top) * 0.3f),
                        x + (half * 0.08f),
                        top + 0.12f,
                        x - (half * 0.06f),
                        top + 0.17f,
                        x - (half * 0.3f),
                        top + ((0.68f - top) * 0.3f)
                    ),
                    0xFCFDFF
                )
            );
        }

        pieces.Add(Hills(dice, 0.62f, 0.03f, 0x7FA65B, 0x5E8846));
        return pieces;
    }

    private static List<BackdropPiece> City(Dice dice)
    {
        List<BackdropPiece> pieces = [Sky(0x9CB8D0, 0xF1DFCB)];
        uint[] walls = [0xA9786A, 0x8793A8, 0xC2A285, 0x77808F, 0x9B8797];
        var x = -0.08f;
        while (x < 1.08f)
        {
            var (width, top) = (dice.Range(0.13f, 0.2f), dice.Range(0.1f, 0.36f));
            pieces.Add(Even(Box(x, top, x + width, 0.72f), walls[dice.Int(walls.Length)]));
            for (var y = top + 0.04f; y < 0.6f; y += 0.085f)
            {
                for (var column = 0; column < 2; column++)
                {
                    var left = x + (width * (0.18f + (0.38f * column)));
                    pieces.Add(
                        Even(
                            Box(left, y, left + (width * 0.24f), y + 0.045f),
                            dice.Chance(0.5f) ? 0xFCE9A9u : 0x55627Au,
                            outlined: false
                        )
                    );
                }
            }

            x += width + dice.Range(0, 0.012f);
        }

        pieces.Add(Band(0.66f, 0.72f, 0xC9C4BC, 0xB9B4AD));
        pieces.Add(Band(0.72f, 1.1f, 0x787A82, 0x63656D));
        return pieces;
    }

    private static List<BackdropPiece> NightSea(Dice dice)
    {
        var horizon = dice.Range(0.5f, 0.57f);
        var moon = dice.Range(0.2f, 0.8f);
        List<BackdropPiece> pieces = [Sky(0x0D1638, 0x2C3B70)];
        AddStars(pieces, dice, 24, horizon - 0.04f);
        pieces.Add(Even(Circle(moon, dice.Range(0.12f, 0.2f), 0.065f), 0xFBF3CF));
        pieces.Add(Band(horizon, 1.1f, 0x1D3A6B, 0x0A1B3F));
        for (var i = 0; i < 9; i++)
        {
            var (y, half) = (horizon + 0.02f + (0.05f * i), dice.Range(0.03f, 0.08f));
            pieces.Add(Even(Oval(moon + dice.Range(-0.05f, 0.05f), y, half, 0.007f), 0xD9D9B8, outlined: false));
            pieces.Add(Even(Oval(dice.Range(0, 1), y + 0.02f, half * 1.6f, 0.006f), 0x3E6299, outlined: false));
        }

        return pieces;
    }

    private static List<BackdropPiece> Kitchen(Dice dice)
    {
        List<BackdropPiece> pieces = [Sky(0xF3E6CF, 0xECD9B9)];
        for (var row = 0; row < 4; row++)
        {
            for (var column = -1; column < 8; column++)
            {
                var (left, top) = ((column * 0.15f) + (row % 2 * 0.075f), 0.3f + (row * 0.085f));
                pieces.Add(
                    Even(
                        Box(left + 0.005f, top + 0.005f, left + 0.145f, top + 0.08f, 0.008f),
                        (row + column) % 3 == 0 ? 0xCFE3DCu : 0xE3F0EAu,
                        outlined: false
                    )
                );
            }
        }

        var shelf = dice.Range(0.2f, 0.26f);
        uint[] jars = [0xD98E73, 0x8FB3A5, 0xE2C16F, 0x9C8BB0];
        foreach (var x in dice.Spread(4))
        {
            pieces.Add(
                Even(
                    Box(x - 0.04f, shelf - dice.Range(0.09f, 0.13f), x + 0.04f, shelf, 0.012f),
                    jars[dice.Int(jars.Length)]
                )
            );
        }

        pieces.Add(Even(Box(-0.1f, shelf, 1.1f, shelf + 0.025f), 0x9A6A42));
        pieces.Add(Band(0.64f, 1.1f, 0xC08A56, 0x9C6A3C));
        pieces.Add(Even(Box(-0.1f, 0.64f, 1.1f, 0.665f), 0xD9A672, outlined: false));
        return pieces;
    }

    private static List<BackdropPiece> Library(Dice dice)
    {
        List<BackdropPiece> pieces = [Sky(0x4A3020, 0x3A2417)];
        uint[] spines = [0x8E3B34, 0x2F5D62, 0xB98A3E, 0x4A4E7C, 0x6E7F4F, 0xA86F5A, 0xD6C4A0];
        foreach (var shelf in (float[])[0.22f, 0.45f, 0.68f])
        {
            for (var x = -0.06f; x < 1.06f; )
            {
                var width = dice.Range(0.035f, 0.06f);
                pieces.Add(
                    Even(
                        Box(x, shelf - dice.Range(0.13f, 0.185f), x + width - 0.004f, shelf),
                        spines[dice.Int(spines.Length)],
                        outlined: false
                    )
                );
                x += width;
            }

            pieces.Add(Even(Box(-0.1f, shelf, 1.1f, shelf + 0.028f), 0x7A5233));
        }

        pieces.Add(Band(0.7f, 1.1f, 0x93392F, 0x6F2823));
        return pieces;
    }

    private static List<BackdropPiece> Underwater(Dice dice)
    {
        List<BackdropPiece> pieces = [Sky(0x4CC3D9, 0x0F5C8E)];
        foreach (var x in dice.Spread(3))
        {
            pieces.Add(
                new BackdropPiece(
                    Polygon(x, -0.1f, x + 0.08f, -0.1f, x - 0.08f, 0.8f, x - 0.26f, 0.8f),
                    new SKColor(0xBF, 0xEE, 0xF3, 70),
                    new SKColor(0xBF, 0xEE, 0xF3, 0),
                    false
                )
            );
        }

        pieces.Add(Hills(dice, 0.7f, 0.03f, 0xD9C79B, 0xB39A6B));
        foreach (var x in dice.Spread(4))
        {
            var (foot, top) = (dice.Range(0.72f, 0.78f), dice.Range(0.42f, 0.6f));
            pieces.Add(
                Even(
                    Svg(
                        FormattableString.Invariant(
                            $"M{x - 0.02f} {foot} C{x - 0.07f} {foot - 0.08f} {x + 0.05f} {top + 0.08f} {x} {top} C{x + 0.08f} {top + 0.1f} {x - 0.02f} {foot - 0.06f} {x + 0.025f} {foot}Z"
                        )
                    ),
                    dice.Chance(0.5f) ? 0x2F9C74u : 0xE0716Fu
                )
            );
        }

        for (var i = 0; i < 12; i++)
        {
            pieces.Add(
                Even(
                    Circle(dice.Range(0, 1), dice.Range(0, 0.7f), dice.Range(0.008f, 0.018f)),
                    0xC9F1F6,
                    outlined: false
                )
            );
        }

        return pieces;
    }

    private static List<BackdropPiece> Space(Dice dice)
    {
        List<BackdropPiece> pieces = [Sky(0x120B2B, 0x2A1648)];
        AddStars(pieces, dice, 46, 0.75f);
        var (x, y, radius) = (dice.Range(0.12f, 0.88f), dice.Range(0.12f, 0.28f), dice.Range(0.08f, 0.12f));
        pieces.Add(new BackdropPiece(Circle(x, y, radius), Rgb(0xE9A45B), Rgb(0xA84F6E)));
        pieces.Add(Even(Oval(x, y, radius * 1.8f, radius * 0.16f), 0xF3D9A6));
        pieces.Add(Hills(dice, 0.68f, 0.03f, 0x8D8A99, 0x5F5C6E));
        foreach (var crater in dice.Spread(4))
        {
            pieces.Add(Even(Oval(crater, dice.Range(0.76f, 0.98f), dice.Range(0.04f, 0.08f), 0.018f), 0x555264));
        }

        return pieces;
    }

    private static void AddStars(List<BackdropPiece> pieces, Dice dice, int count, float below)
    {
        for (var i = 0; i < count; i++)
        {
            pieces.Add(
                Even(
                    Circle(dice.Range(-0.05f, 1.05f), dice.Range(-0.05f, below), dice.Range(0.004f, 0.009f)),
                    0xF4F1DA,
                    outlined: false
                )
            );
        }
    }

    private static IEnumerable<BackdropPiece> Fir(float x, float foot, float height, uint colour)
    {
        for (var tier = 0; tier < 3; tier++)
        {
            var (top, bottom, half) = (
                foot - height + (height * 0.22f * tier),
                foot - (height * 0.22f * (2 - tier)),
                height * (0.2f + (0.08f * tier))
            );
            yield return Even(Polygon(x, top, x + half, bottom, x - half, bottom), colour);
        }
    }

    private static IEnumerable<BackdropPiece> Cloud(float x, float y, float size)
    {
        yield return Even(Oval(x - size, y, size * 0.8f, size * 0.45f), 0xFFFFFF, outlined: false);
        yield return Even(Oval(x + size, y, size * 0.9f, size * 0.42f), 0xFFFFFF, outlined: false);
        yield return Even(Oval(x, y - (size * 0.3f), size, size * 0.6f), 0xFFFFFF, outlined: false);
    }

    private static BackdropPiece Sky(uint top, uint bottom) =>
        new(Box(-0.2f, -0.2f, 1.2f, 1.2f), Rgb(top), Rgb(bottom), false);

    private static BackdropPiece Band(float top, float bottom, uint from, uint to) =>
        new(Box(-0.2f, top, 1.2f, Math.Max(bottom, top) + 0.2f), Rgb(from), Rgb(to));

    private static BackdropPiece Hills(Dice dice, float y, float height, uint top, uint bottom)
    {
        using var builder = new SKPathBuilder();
        builder.MoveTo(-0.2f, 1.2f);
        builder.LineTo(-0.2f, y + dice.Range(-height, height));
        for (var x = -0.2f; x < 1.15f; x += 0.35f)
        {
            builder.QuadTo(
                x + 0.175f,
                y + dice.Range(-2 * height, 2 * height),
                x + 0.35f,
                y + dice.Range(-height, height)
            );
        }

        builder.LineTo(1.2f, 1.2f);
        builder.Close();
        return new BackdropPiece(builder.Detach(), Rgb(top), Rgb(bottom));
    }

    private static BackdropPiece Even(SKPath path, uint colour, bool outlined = true) =>
        new(path, Rgb(colour), Rgb(colour), outlined);

    private static SKColor Rgb(uint colour) => new(0xFF00_0000 | colour);
}
