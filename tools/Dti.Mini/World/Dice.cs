using Dti.Engine.Runtime;

namespace Dti.Mini.World;

/// <summary>Random choices that are the same on every machine.</summary>
internal sealed class Dice(ulong seed, ulong stream = 0)
{
    private readonly Pcg32 _generator = new(seed, stream);

    /// <summary>Those of one replica in one step of a training, whatever came before.</summary>
    /// <param name="seed">Of the training.</param>
    /// <param name="step">1, 2, …</param>
    /// <param name="replica">0 to 15.</param>
    public static Dice OfStep(ulong seed, int step, int replica) => new(seed, (ulong)((step * 16) + replica));

    /// <summary>A whole number in [0, bound).</summary>
    public int Int(int bound) => _generator.NextInt(bound);

    /// <summary>So many of them.</summary>
    public int[] Indices(int count, int bound) => [.. Enumerable.Range(0, count).Select(_ => Int(bound))];

    /// <summary>A number in [from, to).</summary>
    public float Range(float from, float to) => from + ((to - from) * (_generator.NextUInt32() >> 8) / (1 << 24));

    public bool Chance(float probability) => Range(0, 1) < probability;

    public T Pick<T>(IReadOnlyList<T> items) => items[Int(items.Count)];

    public T Pick<T>()
        where T : struct, Enum => Pick(Enum.GetValues<T>());

    /// <summary>Positions over the width of a picture, one in each of <paramref name="count"/> equal parts.</summary>
    public IEnumerable<float> Spread(int count)
    {
        for (var i = 0; i < count; i++)
        {
            yield return (i + Range(0.1f, 0.9f)) / count;
        }
    }

    /// <summary>The items in random order.</summary>
    public T[] Shuffle<T>(IEnumerable<T> items)
    {
        T[] shuffled = [.. items];
        for (var i = shuffled.Length - 1; i > 0; i--)
        {
            var j = Int(i + 1);
            (shuffled[i], shuffled[j]) = (shuffled[j], shuffled[i]);
        }

        return shuffled;
    }
}
