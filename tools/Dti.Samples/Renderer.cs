using System.Numerics;
using Dti.Engine.Imaging;
using static Dti.Samples.Sdf;

namespace Dti.Samples;

/// <summary>
/// Photographs a subject: marches rays through its distance field, with soft shadow, ambient occlusion and gloss.
/// </summary>
internal sealed class Renderer
{
    private const int Samples = 3;
    private const float FieldOfView = 0.36f;

    private readonly Shot _shot;
    private readonly Vector3 _eye,
        _right,
        _up,
        _forward,
        _light;

    private Renderer(Shot shot)
    {
        _shot = shot;
        var target = new Vector3(0, shot.Aim.Y, 0);
        var direction = Direction(shot.Azimuth, shot.Elevation);
        _forward = -direction;
        _right = Vector3.Normalize(Vector3.Cross(_forward, Vector3.UnitY));
        _up = Vector3.Cross(_right, _forward);
        _eye = target + (shot.Distance * direction) - (shot.Aim.X * _right);
        _light = Direction(shot.Light.X, shot.Light.Y);
    }

    public static RgbImage Draw(Shot shot)
    {
        var renderer = new Renderer(shot);
        var pixels = new byte[3 * shot.Width * shot.Height];
        Parallel.For(0, shot.Height, y =>
        {
            for (var x = 0; x < shot.Width; x++)
            {
                var color = Develop(renderer.Pixel(x, y), x, y, shot);
                for (var channel = 0; channel < 3; channel++)
                {
                    pixels[(3 * ((y * shot.Width) + x)) + channel] = (byte)
                        Math.Clamp(MathF.Round(color[channel]), 0, 255);
                }
            }
        });
        return new RgbImage(shot.Width, shot.Height, pixels);
    }

    private static Vector3 Direction(float azimuth, float elevation)
    {
        var (a, e) = (azimuth * MathF.PI / 180, elevation * MathF.PI / 180);
        return new Vector3(MathF.Sin(a) * MathF.Cos(e), MathF.Sin(e), MathF.Cos(a) * MathF.Cos(e));
    }

    /// <summary>Tone curve, vignette, grain; linear light to levels.</summary>
    private static Vector3 Develop(Vector3 color, int x, int y, Shot shot)
    {
        var corner = new Vector2((x / (float)shot.Width) - 0.5f, (y / (float)shot.Height) - 0.5f);
        color *= shot.Exposure * (1 - (0.45f * corner.LengthSquared()));

        color = Vector3.Lerp(new Vector3(Vector3.Dot(color, new(0.21f, 0.72f, 0.07f))), color, 0.9f);

        // Narkowicz' fit of the ACES film curve.
        color =
            color
            * ((2.51f * color) + new Vector3(0.03f))
            / ((color * ((2.43f * color) + new Vector3(0.59f))) + new Vector3(0.14f));
        var grain = shot.Grain * (Noise.Hash(x, y, 11) + Noise.Hash(x, y, 12));
        return new Vector3(Level(color.X), Level(color.Y), Level(color.Z)) + new Vector3(grain);
    }

    private static float Level(float linear) => 255 * MathF.Pow(Math.Clamp(linear, 0, 1), 1 / 2.2f);

    private Vector3 Pixel(int x, int y)
    {
        var sum = Vector3.Zero;
        for (var i = 0; i < Samples * Samples; i++)
        {
            var u = (x + (((i % Samples) + 0.5f) / Samples) - (_shot.Width / 2f)) / Math.Min(_shot.Width, _shot.Height);
            var v =
                ((_shot.Height / 2f) - y - (((i / Samples) + 0.5f) / Samples)) / Math.Min(_shot.Width, _shot.Height);
            var ray = Vector3.Normalize(_forward + (2 * FieldOfView * ((u * _right) + (v * _up))));
            sum += Vector3.Min(Trace(_eye, ray), new Vector3(4));
        }

        return sum / (Samples * Samples);
    }

    private Vector3 Trace(Vector3 origin, Vector3 ray)
    {
        if (March(origin, ray) is { } distance)
        {
            return ShadeSubject(origin + (distance * ray), ray);
        }

        return Surroundings(origin, ray);
    }

    private Vector3 Surroundings(Vector3 origin, Vector3 ray)
    {
        var behind = _shot.Backdrop.Behind(ray);
        if (ray.Y > -1e-4f)
        {
            return behind;
        }

        var p = origin - (origin.Y / ray.Y * ray);
        var depth = Vector3.Dot(p, Vector3.Normalize(_forward with { Y = 0 }));
        var color = _shot.Backdrop.Floor(new Vector2(p.X, p.Z));
        var light =
            (_shot.LightColor * (1.75f * _light.Y * Shadow(p + (0.01f * Vector3.UnitY))))
            + (Sky(Vector3.UnitY) * Occlusion(p, Vector3.UnitY));
        return Vector3.Lerp(color * light, behind, Smoothstep(2.2f, 7.5f, depth));
    }

    private Vector3 ShadeSubject(Vector3 p, Vector3 ray)
    {
        var surface = _shot.Subject.At(p);
        var normal = Normal(p);
        var above = p + (0.012f * normal);
        var occlusion = Occlusion(p, normal);
        var shadow = Shadow(above);

        // Light wraps a little around the edge of the shade, as in clay or glaze.
        var facing = Math.Clamp((Vector3.Dot(normal, _light) + 0.18f) / 1.18f, 0, 1);
        var bounce = _shot.Backdrop.Floor(new Vector2(p.X, p.Z)) * (0.35f * Math.Clamp(0.5f - (0.5f * normal.Y), 0, 1));
        var diffuse = (_shot.LightColor * (1.9f * facing * shadow)) + ((Sky(normal) + bounce) * occlusion);

        var mirror = Vector3.Reflect(ray, normal);
        var fresnel = 0.04f + (0.96f * MathF.Pow(1 - Math.Clamp(-Vector3.Dot(ray, normal), 0, 1), 5));
        var shine = MathF.Pow(Math.Max(Vector3.Dot(mirror, _light), 0), 8 + (220 * surface.Gloss * surface.Gloss));
        var highlight = _shot.LightColor * (shine * shadow * surface.Gloss * 3);
        var reflected = (Room(mirror, above) * occlusion) + highlight;
        return surface.Metal
            ? surface.Color * ((0.35f * diffuse) + (1.1f * reflected))
            : (surface.Color * diffuse * (1 - (fresnel * surface.Gloss)))
                + (reflected * ((fresnel * surface.Gloss) + (0.03f * surface.Gloss)))
                + (highlight * 0.25f);
    }

    /// <summary>What a glossy surface mirrors: the floor, the backdrop, and a window with a cross.</summary>
    private Vector3 Room(Vector3 direction, Vector3 from)
    {
        if (direction.Y < -0.02f)
        {
            var p = from - (from.Y / direction.Y * direction);
            var lit = _shot.Backdrop.Floor(new Vector2(p.X, p.Z)) * (_shot.LightColor + Sky(Vector3.UnitY));
            return Vector3.Lerp(lit, _shot.Backdrop.Low, Smoothstep(2, 6, new Vector2(p.X, p.Z).Length()));
        }

        var side = Vector3.Normalize(Vector3.Cross(_light, Vector3.UnitY));
        var depth = Vector3.Dot(direction, _light);
        var (u, v) = (
            Vector3.Dot(direction, side) / Math.Max(depth, 0.01f),
            Vector3.Dot(direction, Vector3.Cross(side, _light)) / Math.Max(depth, 0.01f)
        );
        var pane =
            depth > 0
                ? Smoothstep(0.42f, 0.38f, MathF.Max(MathF.Abs(u), MathF.Abs(v)))
                    * Smoothstep(0.02f, 0.05f, MathF.Min(MathF.Abs(u), MathF.Abs(v)))
                : 0;
        return _shot.Backdrop.Behind(direction) + (_shot.LightColor * (6 * pane));
    }

    private Vector3 Sky(Vector3 normal) =>
        _shot.Ambient
        * Vector3.Lerp(0.6f * _shot.Backdrop.Low, _shot.Backdrop.High + new Vector3(0.15f), 0.5f + (0.5f * normal.Y));

    /// <summary>Distance along the ray to the subject, or null.</summary>
    private float? March(Vector3 origin, Vector3 ray)
    {
        if (Enter(origin, ray) is not (var near, var far))
        {
            return null;
        }

        var t = near;
        for (var i = 0; i < 160 && t < far; i++)
        {
            var distance = _shot.Subject.Distance(origin + (t * ray));
            if (distance < 0.0008f * t)
            {
                return t;
            }

            t += 0.8f * distance;
        }

        return null;
    }

    /// <summary>1 in full light, 0 in full shade; softer the farther the edge that casts it.</summary>
    private float Shadow(Vector3 p)
    {
        if (Enter(p, _light) is not (var near, var far))
        {
            return 1;
        }

        var light = 1f;
        for (var t = Math.Max(near, 0.02f); t < far; )
        {
            var distance = _shot.Subject.Distance(p + (t * _light));
            light = Math.Min(light, 0.5f + (0.5f * distance * 9 / t));
            if (light <= 0)
            {
                return 0;
            }

            t += Math.Clamp(0.7f * MathF.Abs(distance), 0.015f, 0.12f);
        }

        return light * light * (3 - (2 * light));
    }

    private float Occlusion(Vector3 p, Vector3 normal)
    {
        if ((p - new Vector3(0, _shot.Subject.Middle, 0)).Length() > _shot.Subject.Reach + 1)
        {
            return 1;
        }

        var (hidden, weight) = (0f, 1f);
        for (var i = 1; i <= 6; i++)
        {
            var step = 0.07f * i;
            var at = p + (step * normal);
            hidden += weight * Math.Max(step - Math.Min(_shot.Subject.Distance(at), normal.Y < 0.99f ? at.Y : step), 0);
            weight *= 0.8f;
        }

        return Math.Clamp(1 - (1.15f * hidden), 0.08f, 1);
    }

    private Vector3 Normal(Vector3 p)
    {
        const float E = 0.0015f;
        float D(float x, float y, float z) => _shot.Subject.Distance(p + new Vector3(x, y, z));
        var (a, b, c, d) = (D(E, -E, -E), D(-E, -E, E), D(-E, E, -E), D(E, E, E));
        return Vector3.Normalize(new Vector3(a - b - c + d, -a - b + c + d, -a + b - c + d));
    }

    /// <summary>Where a ray is inside the sphere that holds the subject.</summary>
    private (float Near, float Far)? Enter(Vector3 origin, Vector3 ray)
    {
        var q = origin - new Vector3(0, _shot.Subject.Middle, 0);
        var b = Vector3.Dot(q, ray);
        var root = (b * b) - q.LengthSquared() + (_shot.Subject.Reach * _shot.Subject.Reach);
        return root < 0 || -b + MathF.Sqrt(root) < 0
            ? null
            : (Math.Max(-b - MathF.Sqrt(root), 0), -b + MathF.Sqrt(root));
    }
}
