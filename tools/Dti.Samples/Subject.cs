using System.Globalization;
using System.Numerics;

namespace Dti.Samples;

/// <summary>How a point of a surface looks: colour in linear light, gloss 0 (clay) to 1 (glaze).</summary>
internal readonly record struct Surface(Vector3 Color, float Gloss, bool Metal = false)
{
    /// <summary>A colour written as in CSS, in linear light.</summary>
    public static Vector3 Rgb(string hex)
    {
        var value = int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return new Vector3(Linear(value >> 16), Linear((value >> 8) & 255), Linear(value & 255));
    }

    private static float Linear(int level) => MathF.Pow(level / 255f, 2.2f);
}

/// <summary>A thing to photograph; it stands on y = 0.</summary>
internal abstract class Subject
{
    /// <summary>Height of the middle of a sphere of <see cref="Reach"/> that holds all of it.</summary>
    public abstract float Middle { get; }

    public abstract float Reach { get; }

    /// <summary>Distance from a point to the surface, negative inside.</summary>
    public abstract float Distance(Vector3 p);

    public abstract Surface At(Vector3 p);
}
