using Dti.Engine;
using Dti.Server.Jobs.Grains;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests.Queue;

/// <summary>Which device may acquire a job, and which job is refused.</summary>
public sealed class PlacementTests
{
    private static readonly TimeSpan _wait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _settled = TimeSpan.FromSeconds(10);
    private static readonly JobRequirements _needs = new()
    {
        Model = "sdxl",
        Fingerprint = "1",
        WeightBytes = 10,
        LowBytes = 20,
        BalancedBytes = 40,
        HighBytes = 60,
    };

    private readonly FakeTimeProvider _time = new();
    private readonly HostTable _hosts;
    private readonly Placement _placement;

    public PlacementTests()
    {
        var heartbeats = new DeviceHeartbeats(_time, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5));
        _hosts = new HostTable(heartbeats, _ => false);
        _placement = new Placement(_hosts, _wait, _time, _settled);
    }

    [Fact]
    public void DelaysOf_ModelLoadedElsewhere_EndsWithTheWait()
    {
        _hosts.Note(Hosts.Worker("cold", Hosts.Model("sdxl")));
        _hosts.Note(Hosts.Worker("warm", Hosts.Model("sdxl", isLoaded: true)));

        Assert.Equal(TimeSpan.Zero, Delay("warm"));
        Assert.Equal(_wait, Delay("cold"));
        Assert.Equal(TimeSpan.FromSeconds(2), Delay("cold", waited: 3));
        Assert.Equal(TimeSpan.Zero, Delay("cold", waited: 5));
    }

    [Fact]
    public void DelaysOf_ModelLoadedNowhere_IsZeroUntilADeviceLoadsIt()
    {
        _hosts.Note(Hosts.Worker("one", Hosts.Model("sdxl")));
        _hosts.Note(Hosts.Worker("two", Hosts.Model("sdxl")));
        Assert.Equal(TimeSpan.Zero, Delay("one"));

        _hosts.NoteLoading("two/cpu", _needs);

        Assert.Equal(_wait, Delay("one"));
        Assert.Equal(TimeSpan.Zero, Delay("two"));
    }

    [Fact]
    public void DelaysOf_DeviceThatCannotRunTheJob_IsNull()
    {
        _hosts.Note(Hosts.Worker("lacks", Hosts.Model("sd15")));
        _hosts.Note(Hosts.Worker("differs", Hosts.Model("sdxl", fingerprint: "2")));
        _hosts.Note(Hosts.Worker("has", Hosts.Model("sdxl")));

        Assert.Null(Delay("lacks", waited: 3600));
        Assert.Null(Delay("differs", waited: 3600));
        Assert.Null(Delay("silent", waited: 3600)); // it has not announced itself
        Assert.Null(Delay("has", needs: _needs with { Dtype = "fp16" }));
        Assert.Null(Delay("has", needs: _needs with { Vae = "vae" }));
        Assert.Equal(TimeSpan.Zero, _placement.DelaysOf("lacks/cpu")(null, TimeSpan.Zero));
    }

    [Fact]
    public void DelaysOf_Memory_IsThatOfTheHostsPolicy()
    {
        var (high, low) = (Hosts.Model("sdxl"), Hosts.Model("sdxl") with { MemoryPolicy = "low" });
        _hosts.Note(Hosts.Worker("high", high));
        _hosts.Note(Hosts.Worker("low", low));
        var large = _needs with { LowBytes = 80, HighBytes = 81 }; // a job may take 80 on either

        Assert.Null(Delay("high", needs: large));
        Assert.Equal(TimeSpan.Zero, Delay("low", needs: large));
    }

    [Fact]
    public void Refusal_NoWorkerHasTheModel_IsUnavailableOnceAllAreKnown()
    {
        _hosts.Note(Hosts.Worker("one", Hosts.Model("sd15")));
        Assert.Null(_placement.Refusal(_needs));

        _time.Advance(_settled);

        var refusal = _placement.Refusal(_needs)!;
        Assert.Equal((ErrorKind.Unavailable, "MODEL_UNAVAILABLE"), (refusal.Kind, refusal.Reason));
        Assert.NotNull(refusal.RetryAfter);
        _hosts.Note(Hosts.Worker("two", Hosts.Model("sdxl")));
        Assert.Null(_placement.Refusal(_needs));
    }

    [Fact]
    public void Refusal_NoWorkers_JobWaitsForTheFirst()
    {
        _time.Advance(_settled);

        Assert.Null(_placement.Refusal(_needs));
    }

    [Fact]
    public void Refusal_AnotherModelOrTooLittleMemory_IsNamed()
    {
        _time.Advance(_settled);
        _hosts.Note(Hosts.Worker("one", Hosts.Model("sdxl")));

        Assert.Equal("MODEL_DIFFERS", _placement.Refusal(_needs with { Fingerprint = "2" })!.Reason);
        Assert.Equal("DTYPE_UNSUPPORTED", _placement.Refusal(_needs with { Dtype = "fp16" })!.Reason);
        var large = _placement.Refusal(_needs with { HighBytes = 81 })!;
        Assert.Equal(
            ("JOB_TOO_LARGE", "81", "80"),
            (large.Reason, large.Details["needed_bytes"], large.Details["available_bytes"])
        );
        Assert.Equal("JOB_TOO_LARGE", _placement.Refusal(_needs with { WeightBytes = 101 })!.Reason);
    }

    private TimeSpan? Delay(string host, int waited = 0, JobRequirements? needs = null) =>
        _placement.DelaysOf($"{host}/cpu")(needs ?? _needs, TimeSpan.FromSeconds(waited));
}
