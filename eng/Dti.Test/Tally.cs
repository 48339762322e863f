namespace Dti.Test;

/// <summary>What a runner counted.</summary>
internal readonly record struct Tally(int Passed, int Failed, int Skipped)
{
    /// <summary>A runner that crashed, ran out of time or ran no test counts as one failure.</summary>
    public static Tally Broken => new(0, 1, 0);

    public static Tally operator +(Tally a, Tally b) => new(a.Passed + b.Passed, a.Failed + b.Failed, a.Skipped + b.Skipped);

    public override string ToString() => $"{Passed} passed, {Failed} failed" + (Skipped > 0 ? $", {Skipped} skipped" : "");
}
