namespace Dti.Server.Jobs.Grains;

/// <summary>Numbers the changes of a library that each host of the cluster has a copy of.</summary>
[Alias("dti.change-log")]
internal interface IChangeLogGrain : IGrainWithStringKey
{
    /// <summary>
    /// Appends a change, if its author knows the newest one. A change that was appended last is appended once more
    /// without an effect, for an author who did not get the answer.
    /// </summary>
    /// <param name="known">The number of the newest change that the author knows.</param>
    /// <param name="change">The change.</param>
    [Alias("append")]
    Task<bool> AppendAsync(long known, byte[] change);
}

/// <summary>The state of the grain.</summary>
[GenerateSerializer]
[Alias("dti.change-log-state")]
internal sealed record ChangeLogState
{
    /// <summary>The number of the newest change.</summary>
    [Id(0)]
    public long Number { get; set; }

    /// <summary>The newest change, which may not be in the storage yet.</summary>
    [Id(1)]
    public byte[] Change { get; set; } = [];
}
