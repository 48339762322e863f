using System.Numerics;

namespace Dti.Samples;

/// <summary>One photo: what, where, from where and in which light. Angles in degrees.</summary>
internal sealed record Shot(string File, int Width, int Height, Subject Subject, Backdrop Backdrop)
{
    /// <summary>Where the camera stands around the subject: 0 in front, 90 at its left.</summary>
    public float Azimuth { get; init; }

    public float Elevation { get; init; } = 14;

    public float Distance { get; init; } = 6.2f;

    /// <summary>What the camera aims at, beside and above the subject's foot.</summary>
    public Vector2 Aim { get; init; } = new(0, 0.95f);

    /// <summary>Where the light comes from: azimuth and elevation.</summary>
    public Vector2 Light { get; init; } = new(40, 50);

    public Vector3 LightColor { get; init; } = new(1.0f, 0.94f, 0.84f);

    /// <summary>Light from everywhere, as a part of the backdrop's.</summary>
    public float Ambient { get; init; } = 0.75f;

    public float Exposure { get; init; } = 1;

    /// <summary>Film grain, in levels.</summary>
    public float Grain { get; init; } = 2;
}
