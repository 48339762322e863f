using System.Numerics;

namespace Dti.Samples;

/// <summary>Repeatable noise in space, −1 to 1.</summary>
internal static class Noise
{
    /// <summary>A number from −1 to 1 that depends on a lattice point only.</summary>
    public static float Hash(int x, int y, int z)
    {
        unchecked
        {
            var h = (uint)((x * 374761393) + (y * 668265263) + (z * 1274126177));
            h = (h ^ (h >> 13)) * 1274126177;
            h = (h ^ (h >> 16)) * 2246822519;
            return ((h ^ (h >> 13)) / (float)uint.MaxValue * 2) - 1;
        }
    }

    public static float Value(Vector3 p)
    {
        int x = (int)MathF.Floor(p.X),
            y = (int)MathF.Floor(p.Y),
            z = (int)MathF.Floor(p.Z);
        var f = p - new Vector3(x, y, z);
        f *= f * ((3 * Vector3.One) - (2 * f));
        float Row(int dy, int dz) => float.Lerp(Hash(x, y + dy, z + dz), Hash(x + 1, y + dy, z + dz), f.X);
        return float.Lerp(float.Lerp(Row(0, 0), Row(1, 0), f.Y), float.Lerp(Row(0, 1), Row(1, 1), f.Y), f.Z);
    }

    /// <summary>Octaves of <see cref="Value"/>, each half as strong and twice as fine.</summary>
    public static float Fractal(Vector3 p, int octaves)
    {
        var (sum, strength) = (0f, 0.5f);
        for (var i = 0; i < octaves; i++)
        {
            sum += strength * Value(p);
            (p, strength) = ((2.03f * p) + new Vector3(17.3f), strength / 2);
        }

        return sum;
    }
}
