namespace Dti.Engine.Concepts;

/// <summary>
/// Spherical linear interpolation: the great circle between two directions, travelled at constant speed (the paper's
/// section 4.4; K. Shoemake, "Animating rotation with quaternion curves", 1985). Computed in double precision.
/// </summary>
public static class Slerp
{
    /// <summary>The blend of two concepts, per vector and encoder; magnitudes are interpolated linearly.</summary>
    /// <param name="from">At t = 0; the blend has its placeholder.</param>
    /// <param name="to">At t = 1.</param>
    /// <param name="t">0 to 1; beyond, the great circle continues.</param>
    /// <exception cref="DtiException">They have different numbers of vectors, widths or encoders.</exception>
    public static ConceptEmbedding Between(ConceptEmbedding from, ConceptEmbedding to, double t)
    {
        EnsureAlike(from, to);
        return new ConceptEmbedding(
            from.Placeholder,
            [.. from.Encoders.Zip(to.Encoders, (a, b) => Between(a, b, t))],
            from.Keys
        );
    }

    /// <summary>Angle between the directions of two concepts, degrees, one per vector and encoder.</summary>
    /// <exception cref="DtiException">As <see cref="Between(ConceptEmbedding, ConceptEmbedding, double)"/>.</exception>
    public static IReadOnlyList<double> AnglesDegrees(ConceptEmbedding from, ConceptEmbedding to)
    {
        EnsureAlike(from, to);
        return
        [
            .. from
                .Encoders.Zip(to.Encoders)
                .SelectMany(pair =>
                    Enumerable
                        .Range(0, pair.First.Count)
                        .Select(i => Angle(pair.First.Direction(i), pair.Second.Direction(i)) * (180 / Math.PI))
                ),
        ];
    }

    /// <summary>
    /// The direction at t between two directions of any norm. Parallel ones give their common direction. Antipodal ones
    /// (within 1e-6 rad) have no unique great circle: the path leaves <paramref name="a"/> toward the coordinate axis
    /// that is closest to being perpendicular to it, the first one if several are, so the same pair always takes the
    /// same path.
    /// </summary>
    /// <param name="a">Direction at t = 0, d values, not zero.</param>
    /// <param name="b">Direction at t = 1.</param>
    /// <param name="t">Position; 0 and 1 are the ends.</param>
    /// <returns>d values of norm 1.</returns>
    public static double[] Directions(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double t)
    {
        var from = Unit(a);
        var to = Unit(b);
        var angle = Angle(a, b);
        if (angle < 1e-12)
        {
            return from;
        }

        var tangent = Math.PI - angle > 1e-6 ? Reject(to, from) : Reject(MostPerpendicularAxis(from), from);
        var (sin, cos) = Math.SinCos(t * angle);
        return [.. from.Zip(tangent, (p, q) => (cos * p) + (sin * q))];
    }

    private static DirectionalVectors Between(DirectionalVectors a, DirectionalVectors b, double t) =>
        new(
            [
                .. Enumerable
                    .Range(0, a.Count)
                    .Select(i =>
                        Array.ConvertAll(Directions(a.Direction(i), b.Direction(i), t), value => (float)value)
                    ),
            ],
            [.. a.Magnitudes.Zip(b.Magnitudes, (p, q) => (float)(((1 - t) * p) + (t * q)))]
        );

    /// <summary>2·atan2(‖a − b‖, ‖a + b‖): exact also near 0 and π, where the arc cosine is not.</summary>
    private static double Angle(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double[] from = Unit(a),
            to = Unit(b);
        return 2 * Math.Atan2(Norm(from.Zip(to, (p, q) => p - q)), Norm(from.Zip(to, (p, q) => p + q)));
    }

    /// <summary>The unit vector along what of x is perpendicular to the unit vector v.</summary>
    private static double[] Reject(double[] x, double[] v)
    {
        var along = x.Zip(v, (p, q) => p * q).Sum();
        double[] rest = [.. x.Zip(v, (p, q) => p - (along * q))];
        var norm = Norm(rest);
        return Array.ConvertAll(rest, value => value / norm);
    }

    private static double[] MostPerpendicularAxis(double[] v)
    {
        var axis = new double[v.Length];
        axis[Array.IndexOf(v, v.MinBy(Math.Abs))] = 1;
        return axis;
    }

    private static double[] Unit(ReadOnlySpan<float> v)
    {
        double[] values = [.. v.ToArray().Select(value => (double)value)];
        var norm = Norm(values);
        return Array.ConvertAll(values, value => value / norm);
    }

    private static double Norm(IEnumerable<double> v) => Math.Sqrt(v.Sum(value => value * value));

    private static string Widths(ConceptEmbedding concept) => string.Join(" + ", concept.Dimensions);

    private static void EnsureAlike(ConceptEmbedding from, ConceptEmbedding to)
    {
        if (
            from.Encoders.Count != to.Encoders.Count
            || from.Encoders.Zip(to.Encoders).Any(pair => pair.First.Dimension != pair.Second.Dimension)
        )
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{from.Placeholder} has vectors of width {Widths(from)} and {to.Placeholder} of width {Widths(to)}: "
                    + "they belong to different kinds of models and cannot be blended. Train both with the same model."
            );
        }

        if (from.VectorCount != to.VectorCount)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{from.Placeholder} has {from.VectorCount} vectors and {to.Placeholder} has {to.VectorCount}; train them with the same number to blend them."
            );
        }
    }
}
