using System.Text.Json;
using Dti.Server.Jobs.Grains;
using Dti.V1;
using Orleans.Serialization;

namespace Dti.Server.Tests.Clusters.Contract;

/// <summary>A value of each type that hosts send to each other or store, with every member set.</summary>
internal static class WireSamples
{
    private static readonly DateTimeOffset _time = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly JobRequirements _requirements = new()
    {
        Model = "sd15",
        Fingerprint = "0123456789abcdef",
        Vae = "vae",
        Dtype = "bf16",
        WeightBytes = 3,
        LowBytes = 4,
        BalancedBytes = 5,
        HighBytes = 6,
    };

    private static readonly JobTicket _ticket = new()
    {
        JobId = "0123456789abcdef0123456789abcdef",
        Kind = JobKind.Train,
        Caller = "alice",
        RequestId = "request-1",
        Fingerprint = "fingerprint",
        Name = "my-cat",
        TotalSteps = 500,
        Created = _time,
        TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        Scopes = 7,
        Pictures = 4,
        Placeholder = "<cat>",
        Requirements = _requirements,
    };

    private static readonly JobRecord _record = new()
    {
        Ticket = _ticket,
        State = JobState.Failed,
        Epoch = 3,
        Started = _time.AddSeconds(1),
        Ended = _time.AddSeconds(2),
        Failure = [8, 14],
        LastCrashStep = 41,
        CancelRequested = true,
        Step = 42,
    };

    private static readonly QueuePlace _place = new(5, _time.AddMinutes(1));
    private static readonly JobEvent _event = new(7, [1, 2, 3]);

    private static readonly QueueEntry _entry = new()
    {
        Ticket = _ticket,
        Device = "worker-1/cuda:0",
        Incarnation = "incarnation",
        Ended = _time,
        Alone = true,
    };

    private static readonly AnnouncedDevice _device = new("worker-1/cuda:0", "cuda", "bf16", 24, 20, 12, 16);
    private static readonly AnnouncedModel _model = new("sd15", "0123456789abcdef", "sd1", 4, "high", IsLoaded: true);
    private static readonly RunningJob _running = new("worker-1/cuda:0", "job", JobKind.Train, 41, 500);

    private static readonly HostAnnouncement _host = new()
    {
        Host = "worker-1",
        Role = "worker",
        Version = "0.1.0",
        Silo = SiloAddress.FromParsableString("10.0.0.5:11111@155023931"),
        Devices = [_device],
        Models = [_model],
        Vaes = ["vae"],
    };

    /// <summary>The values by the aliases of their types.</summary>
    public static IReadOnlyDictionary<string, WireSample> All { get; } =
        new Dictionary<string, WireSample>
        {
            ["dti.job-requirements"] = WireSample.Of(_requirements),
            ["dti.job-ticket"] = WireSample.Of(_ticket),
            ["dti.job-record"] = WireSample.Of(_record),
            ["dti.job-hold"] = WireSample.Of(AttemptLease.Cancelled),
            ["dti.job-event"] = WireSample.Of(_event),
            ["dti.event-batch"] = WireSample.Of(new EventBatch(9, [_event], 7)),
            ["dti.queue-place"] = WireSample.Of(_place),
            ["dti.job-view"] = WireSample.Of(new JobView(_record, _place)),
            ["dti.submitted"] = WireSample.Of(new Submitted("job", Attached: true, Refusal: [1])),
            ["dti.announced-device"] = WireSample.Of(_device),
            ["dti.announced-model"] = WireSample.Of(_model),
            ["dti.running-job"] = WireSample.Of(_running),
            ["dti.host-announcement"] = WireSample.Of(_host),
            ["dti.host-view"] = WireSample.Of(new HostView(_host, [_running])),
            ["dti.queue-entry"] = WireSample.Of(_entry),
            ["dti.change-log-state"] = WireSample.Of(new ChangeLogState { Number = 7, Change = [1, 2] }),
            ["dti.queue-page"] = WireSample.Of(new QueuePage { Entries = [_entry] }),
            ["dti.queue-state"] = WireSample.Of(
                new QueueState
                {
                    Entries = [_entry],
                    StepSeconds = { [1] = 0.5 },
                    FirstPage = 2,
                    NextPage = 3,
                }
            ),
        };
}

/// <summary>A value, as its static type is serialized.</summary>
/// <param name="Value">The value.</param>
/// <param name="Serialize">Serializes it.</param>
/// <param name="Read">The value in bytes of that type, as JSON.</param>
internal sealed record WireSample(
    object Value,
    Func<Serializer, byte[]> Serialize,
    Func<Serializer, byte[], string> Read
)
{
    private static readonly JsonSerializerOptions _options = new() { IgnoreReadOnlyProperties = true };

    /// <summary>The value as JSON, to be compared with others.</summary>
    public string Json => JsonSerializer.Serialize(Value, _options);

    public static WireSample Of<T>(T value)
        where T : notnull =>
        new(
            value,
            serializer => serializer.SerializeToArray(value),
            (serializer, bytes) => JsonSerializer.Serialize<object?>(serializer.Deserialize<T>(bytes), _options)
        );
}
