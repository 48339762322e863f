using System.Numerics;
using static Dti.Samples.Sdf;

namespace Dti.Samples;

/// <summary>A round teapot, glazed teal, with a raised golden star on both sides, golden knob, foot and rims.</summary>
/// <param name="openLid">Whether the lid leans against the pot instead of closing it.</param>
internal sealed class StarTeapot(bool openLid) : Subject
{
    private static readonly Vector3[] _spout = Curve(
        new(0.62f, 0.50f, 0),
        new(1.10f, 0.55f, 0),
        new(0.98f, 1.10f, 0),
        new(1.34f, 1.28f, 0)
    );
    private static readonly Vector3[] _handle = Curve(
        new(-0.66f, 1.12f, 0),
        new(-1.5f, 1.45f, 0),
        new(-1.5f, 0.35f, 0),
        new(-0.72f, 0.45f, 0)
    );
    private static readonly Vector3 _pour = Vector3.Normalize(_spout[^1] - _spout[^2]);
    private static readonly Surface _gold = new(Surface.Rgb("E7AE35"), 0.9f, Metal: true);
    private readonly Quaternion _intoLid = Quaternion.Inverse(Quaternion.CreateFromYawPitchRoll(0.75f, 1.1f, 0));

    public override float Middle => 0.85f;

    public override float Reach => 1.6f;

    public override float Distance(Vector3 p) => Math.Min(Glazed(p), Golden(p));

    public override Surface At(Vector3 p)
    {
        if (Golden(p) < Glazed(p))
        {
            return _gold;
        }

        // Glaze runs: darker below, lighter where it is thin at the shoulder; a few specks.
        var flow = Smoothstep(0.1f, 1.4f, p.Y + (0.12f * Noise.Value(4 * p)));
        var color = Vector3.Lerp(Surface.Rgb("0A4650"), Surface.Rgb("1B827F"), flow);
        var specks = Smoothstep(0.62f, 0.72f, Noise.Value(28 * p));
        return new Surface(Vector3.Lerp(color, Surface.Rgb("072F36"), 0.45f * specks), 0.9f);
    }

    private static Vector3[] Curve(Vector3 a, Vector3 b, Vector3 c, Vector3 d)
    {
        const int Parts = 20;
        return
        [
            .. Enumerable
                .Range(0, Parts + 1)
                .Select(i =>
                {
                    var t = i / (float)Parts;
                    var s = 1 - t;
                    return (s * s * s * a) + (3 * s * s * t * b) + (3 * s * t * t * c) + (t * t * t * d);
                }),
        ];
    }

    private static float AboveSpout(Vector3 p) => Vector3.Dot(p - _spout[^1], _pour);

    private static float Belly(Vector3 p) => Ellipsoid(p, new(0, 0.74f, 0), new(0.86f, 0.70f, 0.86f));

    // The lid's own space: its rim is at the origin, its knob up.
    private Vector3 IntoLid(Vector3 p) =>
        openLid ? Vector3.Transform(p - new Vector3(0.98f, 0.37f, 0.62f), _intoLid) : p - new Vector3(0, 1.34f, 0);

    private float Glazed(Vector3 p)
    {
        var belly = Blend(Belly(p), Ring(p, new(0, 1.33f, 0), 0.40f, 0.05f), 0.06f);
        if (openLid)
        {
            belly = Math.Max(belly, -Ellipsoid(p, new(0, 1.15f, 0), new(0.38f, 0.40f, 0.38f)));
        }

        var (spout, along) = Tube(p, _spout, 0.24f, 0.085f);
        spout = Math.Max(spout, AboveSpout(p));
        spout = Math.Max(spout, along > 0.6f ? -Tube(p, _spout, 0.2f, 0.055f).Distance : -1);
        var pot = Blend(belly, spout, 0.12f);
        pot = Blend(pot, Tube(p, _handle, 0.085f, 0.075f).Distance, 0.08f);
        var lid = IntoLid(p);
        var cap = Math.Max(Ellipsoid(lid, new(0, -0.02f, 0), new(0.42f, 0.20f, 0.42f)), -lid.Y - 0.02f);
        return Math.Min(pot, cap);
    }

    private float Golden(Vector3 p)
    {
        var lid = IntoLid(p);
        var knob = Blend(
            Sphere(lid, new(0, 0.30f, 0), 0.095f),
            Stick(lid, new(0, 0.15f, 0), new(0, 0.28f, 0), 0.07f, 0.04f),
            0.04f
        );
        var rims = Math.Min(Ring(lid, new(0, 0, 0), 0.415f, 0.022f), Ring(p, new(0, 0.06f, 0), 0.47f, 0.065f));

        // The lip of the spout: a ring across its end.
        var height = AboveSpout(p);
        var lip = new Vector2((p - _spout[^1] - (height * _pour)).Length() - 0.08f, height).Length() - 0.024f;
        var star = Math.Max(
            Star(new Vector2(p.X, p.Y - 0.76f), 0.44f),
            Math.Max(MathF.Abs(Belly(p)) - 0.022f, 0.2f - MathF.Abs(p.Z))
        );
        return Math.Min(Math.Min(knob, rims), Math.Min(lip, star));
    }
}
