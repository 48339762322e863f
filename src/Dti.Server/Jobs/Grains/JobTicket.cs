using System.Diagnostics;
using Dti.Server.Security;
using Dti.V1;

namespace Dti.Server.Jobs.Grains;

/// <summary>
/// What is known of a job from its acceptance on, without its photos. Written to disk and sent between silos.
/// </summary>
[GenerateSerializer]
[Immutable]
[Alias("dti.job-ticket")]
internal sealed record JobTicket
{
    [Id(0)]
    public required string JobId { get; init; }

    /// <summary>What it does.</summary>
    [Id(1)]
    public required JobKind Kind { get; init; }

    /// <summary>Who asked for it: <see cref="Security.Caller.Id"/>.</summary>
    [Id(2)]
    public required string Caller { get; init; }

    /// <summary>The caller's idempotency key; empty: none.</summary>
    [Id(3)]
    public string RequestId { get; init; } = "";

    /// <summary>Hash of the request as it came.</summary>
    [Id(4)]
    public string Fingerprint { get; init; } = "";

    /// <summary>The concept's name, for training.</summary>
    [Id(5)]
    public string Name { get; init; } = "";

    /// <summary>Steps asked.</summary>
    [Id(6)]
    public int TotalSteps { get; init; }

    [Id(7)]
    public DateTimeOffset Created { get; init; }

    /// <summary>W3C's traceparent of the call that submitted it; null: that was not traced.</summary>
    [Id(8)]
    public string? TraceParent { get; init; }

    /// <summary>What its caller might do: <see cref="Security.Scopes"/>.</summary>
    [Id(9)]
    public int Scopes { get; init; }

    /// <summary>Images and frames that it generates; previews of a training are not counted.</summary>
    [Id(10)]
    public int Pictures { get; init; }

    /// <summary>The placeholder of the concept that it trains; empty: the one of its name, or it trains none.</summary>
    [Id(11)]
    public string Placeholder { get; init; } = "";

    /// <summary>What it needs of a worker; null: any device can run it, as on a single server.</summary>
    [Id(12)]
    public JobRequirements? Requirements { get; init; }

    /// <summary>Creates the ticket of a new job of a caller, with a new id.</summary>
    public static JobTicket New(JobKind kind, Caller caller) =>
        new()
        {
            JobId = Guid.NewGuid().ToString("N"),
            Kind = kind,
            Caller = caller.Id,
            Scopes = (int)caller.Scopes,
            TraceParent = Activity.Current?.Id,
        };

    /// <summary>Whose job it is.</summary>
    public Caller Owner => new(Caller, (Scopes)Scopes);

    /// <summary>Whether someone waits for it at the screen: it goes between the steps of a training.</summary>
    public bool IsInteractive => Kind != JobKind.Train;
}
