using System.Numerics;
using static Dti.Samples.Sdf;

namespace Dti.Samples;

/// <summary>
/// A sitting cat of ginger clay: brown stripes, cream belly, one white paw, a teal collar with a bell.
/// </summary>
/// <param name="headTurn">Radians; positive looks to the cat's left.</param>
/// <param name="headTilt">Radians; positive tips the head to its left.</param>
/// <param name="tailUp">Whether the tail stands up rather than lying around the feet.</param>
internal sealed class ClayCat(float headTurn, float headTilt, bool tailUp) : Subject
{
    private static readonly Vector3 _ginger = Surface.Rgb("D4742C");
    private static readonly Vector3 _stripe = Surface.Rgb("6B3014");
    private static readonly Vector3 _cream = Surface.Rgb("F6E3C3");
    private static readonly Vector3 _white = Surface.Rgb("FBF7F0");
    private static readonly Vector3 _pink = Surface.Rgb("E58E86");
    private static readonly Vector3 _neck = new(0, 1.2f, 0.1f);

    private static readonly Vector3[] _tailAround =
    [
        new(0.1f, 0.18f, -0.45f),
        new(0.5f, 0.14f, -0.42f),
        new(0.76f, 0.13f, -0.12f),
        new(0.82f, 0.13f, 0.22f),
        new(0.72f, 0.14f, 0.52f),
        new(0.52f, 0.2f, 0.7f),
    ];

    private static readonly Vector3[] _tailStanding =
    [
        new(0, 0.2f, -0.42f),
        new(0.3f, 0.22f, -0.62f),
        new(0.62f, 0.4f, -0.6f),
        new(0.78f, 0.72f, -0.48f),
        new(0.74f, 1.04f, -0.4f),
        new(0.86f, 1.3f, -0.36f),
    ];

    private readonly Vector3[] _tail = tailUp ? _tailStanding : _tailAround;
    private readonly Quaternion _intoHead = Quaternion.Inverse(
        Quaternion.CreateFromYawPitchRoll(headTurn, 0, -headTilt)
    );

    public override float Middle => 1;

    public override float Reach => 1.35f;

    public override float Distance(Vector3 p)
    {
        var head = IntoHead(p);
        var clay = Clay(p, head) + (0.010f * Noise.Value(5 * p)) + (0.004f * Noise.Value(17 * p));
        return Math.Min(clay, Math.Min(Face(head), Collar(p)));
    }

    public override Surface At(Vector3 p)
    {
        var head = IntoHead(p);
        if (Collar(p) < 0.004f)
        {
            return Bell(p) < 0.006f
                ? new Surface(Surface.Rgb("E9B43A"), 0.8f, Metal: true)
                : new Surface(Surface.Rgb("1F8A8C"), 0.3f);
        }

        if (Face(head) < 0.004f)
        {
            return Nose(head) < 0.006f ? new Surface(_pink, 0.4f)
                : Eyes(head) < 0.006f ? Eye(head)
                : new Surface(_white, 0.1f);
        }

        return new Surface(Coat(p, head) * (1 + (0.10f * Noise.Fractal(9 * p, 3))), 0.12f);
    }

    private Vector3 IntoHead(Vector3 p) => Vector3.Transform(p - _neck, _intoHead) + _neck;

    private static Vector3 Mirror(Vector3 p) => new(MathF.Abs(p.X), p.Y, p.Z);

    private float Clay(Vector3 p, Vector3 head)
    {
        var side = Mirror(p);
        var d = Blend(Sphere(p, new(0, 0.52f, -0.05f), 0.54f), Sphere(p, new(0, 0.95f, 0.06f), 0.35f), 0.35f);
        d = Blend(d, Ellipsoid(side, new(0.40f, 0.32f, 0.06f), new(0.24f, 0.32f, 0.36f)), 0.08f);
        d = Blend(d, Ellipsoid(side, new(0.42f, 0.10f, 0.38f), new(0.15f, 0.11f, 0.24f)), 0.05f);
        d = Blend(d, Stick(side, new(0.17f, 0.85f, 0.28f), new(0.17f, 0.15f, 0.47f), 0.15f, 0.12f), 0.09f);
        d = Blend(d, Ellipsoid(side, new(0.17f, 0.10f, 0.54f), new(0.14f, 0.11f, 0.18f)), 0.05f);
        d = Blend(d, Tube(p, _tail, 0.13f, 0.10f).Distance, 0.07f);
        return Blend(d, Head(head), 0.07f);
    }

    private static float Head(Vector3 p)
    {
        var side = Mirror(p);
        var d = Ellipsoid(p, new(0, 1.50f, 0.14f), new(0.52f, 0.43f, 0.43f));
        d = Blend(d, Sphere(side, new(0.24f, 1.36f, 0.24f), 0.24f), 0.2f);
        d = Blend(d, Ears(side), 0.09f);
        return Blend(d, Sphere(side, new(0.075f, 1.355f, 0.50f), 0.115f), 0.05f);
    }

    private static float Ears(Vector3 side)
    {
        var ear = Stick(side, new(0.27f, 1.77f, 0.12f), new(0.39f, 2.08f, 0.10f), 0.19f, 0.035f);
        return Math.Max(ear, -Stick(side, new(0.285f, 1.80f, 0.30f), new(0.39f, 2.04f, 0.19f), 0.12f, 0.02f));
    }

    private static float Eyes(Vector3 head) =>
        Ellipsoid(Mirror(head), new(0.20f, 1.53f, 0.50f), new(0.085f, 0.10f, 0.07f));

    private static float Nose(Vector3 head) => Ellipsoid(head, new(0, 1.425f, 0.60f), new(0.055f, 0.038f, 0.035f));

    private static float Face(Vector3 head)
    {
        var side = Mirror(head);
        var whiskers = Math.Min(
            Stick(side, new(0.14f, 1.36f, 0.58f), new(0.52f, 1.42f, 0.60f), 0.010f, 0.005f),
            Math.Min(
                Stick(side, new(0.14f, 1.34f, 0.58f), new(0.54f, 1.33f, 0.60f), 0.010f, 0.005f),
                Stick(side, new(0.13f, 1.32f, 0.58f), new(0.51f, 1.24f, 0.60f), 0.010f, 0.005f)
            )
        );
        return Math.Min(Math.Min(Eyes(head), Nose(head)), whiskers);
    }

    private static float Bell(Vector3 p) => Sphere(p, new(0, 1.02f, 0.47f), 0.075f);

    private static float Collar(Vector3 p) => Math.Min(Bell(p), Ring(p, new(0, 1.13f, 0.10f), 0.35f, 0.05f));

    private static Surface Eye(Vector3 head)
    {
        // Looking forward: pupil upright, iris green.
        var q = Mirror(head) - new Vector3(0.195f, 1.53f, 0.50f);
        var pupil = Smoothstep(0.055f, 0.045f, new Vector2(q.X, q.Y * 0.62f).Length());
        return new Surface(Vector3.Lerp(Surface.Rgb("8FBF4A"), Surface.Rgb("120E0C"), pupil), 1);
    }

    private Vector3 Coat(Vector3 p, Vector3 head)
    {
        var color = _ginger;
        var (tail, along) = Tube(p, _tail, 0.13f, 0.10f);
        if (tail < 0.03f)
        {
            color = Vector3.Lerp(color, _stripe, Smoothstep(0.1f, 0.4f, MathF.Sin(along * 26)));
            return Vector3.Lerp(color, _white, Smoothstep(0.88f, 0.90f, along));
        }

        if (Head(head) < 0.03f)
        {
            return HeadCoat(head);
        }

        // Stripes around the flanks and the back; none on the chest.
        var wobble = 0.06f * Noise.Value(3 * p);
        var stripes = Smoothstep(0.35f, 0.6f, MathF.Sin(((p.Y + wobble) * 17) + (4 * p.Z)));
        color = Vector3.Lerp(color, _stripe, stripes * Smoothstep(0.22f, 0.02f, p.Z) * Smoothstep(0.12f, 0.22f, p.Y));
        var chest = Ellipsoid(p, new(0, 0.72f, 0.5f), new(0.24f, 0.42f, 0.4f));
        color = Vector3.Lerp(color, _cream, Smoothstep(0.03f, -0.03f, chest + wobble));
        var legs = Stick(Mirror(p), new(0.17f, 0.85f, 0.28f), new(0.17f, 0.12f, 0.5f), 0.15f, 0.13f);
        var bands =
            Smoothstep(0.5f, 0.75f, MathF.Sin((p.Y * 30) + 1))
            * Smoothstep(0.02f, 0.0f, legs)
            * Smoothstep(0.30f, 0.36f, p.Y)
            * Smoothstep(0.72f, 0.64f, p.Y);
        color = Vector3.Lerp(color, _stripe, bands * Smoothstep(0.07f, 0.12f, MathF.Abs(p.X)));

        // The one white paw is its left.
        var paw = Math.Min(
            Ellipsoid(p, new(0.17f, 0.1f, 0.54f), new(0.16f, 0.13f, 0.2f)),
            Stick(p, new(0.17f, 0.1f, 0.48f), new(0.17f, 0.26f, 0.46f), 0.15f, 0.15f)
        );
        return Vector3.Lerp(color, _white, Smoothstep(0.03f, 0.0f, paw));
    }

    private static Vector3 HeadCoat(Vector3 p)
    {
        var side = Mirror(p);
        var color = _ginger;

        // Three stripes from the brow to the crown, two on each cheek.
        var brow = MathF.Min(MathF.Abs(p.X), MathF.Abs(side.X - 0.15f - (0.25f * (p.Y - 1.7f)))) - 0.032f;
        color = Vector3.Lerp(
            color,
            _stripe,
            Smoothstep(0.012f, -0.012f, brow) * Smoothstep(1.66f, 1.70f, p.Y) * Smoothstep(-0.3f, -0.2f, p.Z)
        );
        var cheek =
            MathF.Min(MathF.Abs(p.Y - 1.47f + (0.2f * side.X)), MathF.Abs(p.Y - 1.34f + (0.2f * side.X))) - 0.03f;
        color = Vector3.Lerp(
            color,
            _stripe,
            Smoothstep(0.012f, -0.012f, cheek) * Smoothstep(0.34f, 0.38f, side.X) * Smoothstep(1.75f, 1.7f, p.Y)
        );
        var muzzle = Math.Min(
            Sphere(side, new(0.075f, 1.355f, 0.50f), 0.14f),
            Ellipsoid(p, new(0, 1.24f, 0.48f), new(0.15f, 0.12f, 0.15f))
        );
        color = Vector3.Lerp(color, _white, Smoothstep(0.02f, -0.01f, muzzle));
        var innerEar = Stick(side, new(0.285f, 1.80f, 0.30f), new(0.39f, 2.04f, 0.19f), 0.12f, 0.02f);
        color = Vector3.Lerp(color, _pink, Smoothstep(0.02f, 0.008f, innerEar));

        // The mouth: two arcs under the nose.
        var q = new Vector2(side.X - 0.055f, p.Y - 1.352f);
        var mouth = MathF.Abs(q.Length() - 0.055f);
        var line = MathF.Min(q.Y < 0 ? mouth : 1, p.Y is > 1.35f and < 1.41f ? side.X : 1);
        return Vector3.Lerp(color, _stripe, 0.85f * Smoothstep(0.014f, 0.007f, line) * Smoothstep(0.5f, 0.54f, p.Z));
    }
}
