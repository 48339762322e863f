using System.Numerics;

namespace Dti.Engine.Runtime;

/// <summary>The whole state of a <see cref="Pcg32"/>; two numbers that a snapshot can keep.</summary>
/// <param name="State">Position in the stream.</param>
/// <param name="Increment">Which stream; odd.</param>
public readonly record struct Pcg32State(ulong State, ulong Increment);

/// <summary>
/// PCG-XSH-RR 64/32 (M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for
/// Random Number Generation", 2014). The same seed gives the same numbers on every platform and .NET version, which
/// <see cref="Random"/> does not promise, and the state can be saved. Not for several threads, nor for secrets.
/// </summary>
public sealed class Pcg32
{
    private const ulong Multiplier = 6364136223846793005;
    private readonly ulong _increment;
    private ulong _state;

    /// <summary>Starts a stream.</summary>
    /// <param name="seed">Where in the stream to start.</param>
    /// <param name="stream">Which of 2⁶³ independent streams; its highest bit is ignored.</param>
    public Pcg32(ulong seed, ulong stream = 0)
    {
        _increment = unchecked((stream << 1) | 1);
        NextUInt32();
        _state = unchecked(_state + seed);
        NextUInt32();
    }

    /// <summary>Goes on where a saved generator stood.</summary>
    /// <param name="state">A value of <see cref="Save"/>.</param>
    /// <exception cref="ArgumentException">The increment is even, so no generator ever had this state.</exception>
    public Pcg32(Pcg32State state)
    {
        if ((state.Increment & 1) == 0)
        {
            throw new ArgumentException("The increment of a PCG stream is odd.", nameof(state));
        }

        _state = state.State;
        _increment = state.Increment;
    }

    /// <summary>The state, to continue from later.</summary>
    public Pcg32State Save() => new(_state, _increment);

    /// <summary>The next 32 bits.</summary>
    public uint NextUInt32()
    {
        var old = _state;
        _state = unchecked((old * Multiplier) + _increment);
        var xorShifted = unchecked((uint)(((old >> 18) ^ old) >> 27));
        return BitOperations.RotateRight(xorShifted, (int)(old >> 59));
    }

    /// <summary>A whole number in [0, <paramref name="bound"/>), each equally likely.</summary>
    /// <param name="bound">1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bound"/> is not positive.</exception>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);

        // 2³² is not a multiple of bound: the first 2³² mod bound values would be hit once too often.
        var range = (uint)bound;
        var threshold = unchecked(0u - range) % range;
        uint bits;
        do
        {
            bits = NextUInt32();
        } while (bits < threshold);
        return (int)(bits % range);
    }

    /// <summary>True or false, equally likely.</summary>
    public bool NextBool() => (NextUInt32() & 0x8000_0000) != 0;
}
