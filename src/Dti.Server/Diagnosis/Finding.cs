namespace Dti.Server.Diagnosis;

/// <summary>How something is.</summary>
public enum FindingState
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>It works, and may stop working.</summary>
    Doubtful,

    /// <summary>A server will not work with it.</summary>
    Broken,
}

/// <summary>One line of a checkup.</summary>
/// <param name="Name">What was looked at: <c>device</c>, <c>port</c>, ….</param>
/// <param name="State">How it is.</param>
/// <param name="Text">What it is, in a line.</param>
/// <param name="Remedy">What to do; empty: nothing.</param>
public sealed record Finding(string Name, FindingState State, string Text, string Remedy = "");
