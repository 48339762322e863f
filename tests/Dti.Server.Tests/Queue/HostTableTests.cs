using System.Net;
using Dti.Server.Jobs.Grains;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests.Queue;

public sealed class HostTableTests
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(5);
    private readonly FakeTimeProvider _time = new();
    private readonly HashSet<SiloAddress> _left = [];
    private readonly HostTable _hosts;

    public HostTableTests() =>
        _hosts = new HostTable(new DeviceHeartbeats(_time, TimeSpan.FromSeconds(30), _period), _left.Contains);

    [Fact]
    public void Alive_HostWhoseSiloHasLeft_IsLeftOut()
    {
        var first = Hosts.Worker("one", generation: 1);
        _hosts.Note(first);
        _hosts.Note(Hosts.Worker("two"));

        _left.Add(first.Silo);
        Assert.Equal(["two"], Names());

        _hosts.Note(Hosts.Worker("one", generation: 2)); // its process was started again
        Assert.Equal(["one", "two"], Names());
    }

    [Fact]
    public void Alive_AnnouncementsOverdue_IsLeftOutUntilTheNext()
    {
        _hosts.Note(Hosts.Worker("one"));
        for (var i = 0; i < 7; i++)
        {
            Assert.Equal(["one"], Names());
            _time.Advance(_period);
            _hosts.Tick();
        }

        Assert.Empty(Names());
        Assert.True(_hosts.Note(Hosts.Worker("one")));
        Assert.Equal(["one"], Names());
    }

    [Fact]
    public void Note_SameModels_ChangesNothing()
    {
        Assert.True(_hosts.Note(Hosts.Worker("one")));
        Assert.False(_hosts.Note(Hosts.Worker("one")));
        Assert.True(_hosts.Note(Hosts.Worker("one", Hosts.Model("sdxl"))));
    }

    private IEnumerable<string> Names() => _hosts.Alive.Select(host => host.Host);
}

/// <summary>Announcements for tests.</summary>
internal static class Hosts
{
    public static HostAnnouncement Worker(string name, params AnnouncedModel[] models) => Worker(name, 1, models);

    public static HostAnnouncement Worker(string name, int generation, params AnnouncedModel[] models) =>
        new()
        {
            Host = name,
            Role = "worker",
            Version = "1.0.0",
            Silo = SiloAddress.New(IPAddress.Loopback, name.Sum(letter => letter), generation),
            Devices = [new AnnouncedDevice($"{name}/cpu", "cpu", "fp32", 100, 80, 80, 100)],
            Models = models,
        };

    public static AnnouncedModel Model(string name, string fingerprint = "1", bool isLoaded = false) =>
        new(name, fingerprint, "sd1", 10, "high", isLoaded);
}
