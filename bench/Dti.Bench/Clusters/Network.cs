using System.Diagnostics;

namespace Dti.Bench.Clusters;

/// <summary>
/// A bridge on this machine, and a network namespace with a separate address for each host. Requires root.
/// </summary>
internal sealed class Network : IDisposable
{
    private const string Bridge = "dti-bench";
    private const string Prefix = "10.77.0.";
    private readonly List<string> _hosts = [];

    public Network()
    {
        Remove();
        Ip("link", "add", Bridge, "type", "bridge");
        Ip("address", "add", $"{Prefix}1/24", "dev", Bridge);
        Ip("link", "set", Bridge, "up");
    }

    /// <summary>Adds a host.</summary>
    /// <returns>Its address.</returns>
    public string Add(string host)
    {
        _hosts.Add(host);
        var address = $"{Prefix}{_hosts.Count + 1}";
        Ip("netns", "add", Space(host));
        Ip("link", "add", Cable(host), "type", "veth", "peer", "name", "eth0", "netns", Space(host));
        Ip("link", "set", Cable(host), "master", Bridge, "up");
        Ip("-n", Space(host), "link", "set", "lo", "up");
        Ip("-n", Space(host), "address", "add", $"{address}/24", "dev", "eth0");
        Ip("-n", Space(host), "link", "set", "eth0", "up");
        return address;
    }

    /// <summary>A command that runs on a host, in the process that it is started as.</summary>
    public static string[] On(string host, params string[] command) => ["ip", "netns", "exec", Space(host), .. command];

    /// <summary>Pulls the cable of a host.</summary>
    public static void Unplug(string host) => Ip("link", "set", Cable(host), "down");

    /// <summary>Puts it back.</summary>
    public static void Plug(string host) => Ip("link", "set", Cable(host), "up");

    /// <summary>Drops what a host sends to an address, until <see cref="Unblock"/>.</summary>
    public static void Block(string host, string address) =>
        Ip("-n", Space(host), "route", "add", "blackhole", $"{address}/32");

    /// <summary>Ends <see cref="Block"/>.</summary>
    public static void Unblock(string host, string address) =>
        Ip("-n", Space(host), "route", "del", "blackhole", $"{address}/32");

    public void Dispose() => Remove();

    private static string Space(string host) => $"{Bridge}-{host}";

    private static string Cable(string host) => $"dti-{host}";

    /// <summary>
    /// Removes all of it, also what a killed run left. The kernel removes the links of a namespace some time after the
    /// namespace, hence links first.
    /// </summary>
    private static void Remove()
    {
        foreach (var link in Links())
        {
            Ip("link", "del", link);
        }

        foreach (var line in ChildProcess.Output("ip", "netns", "list").Split('\n'))
        {
            if (line.Split(' ')[0] is var space && space.StartsWith(Bridge, StringComparison.Ordinal))
            {
                Ip("netns", "del", space);
            }
        }

        if (Directory.Exists($"/sys/class/net/{Bridge}"))
        {
            Ip("link", "del", Bridge);
        }
    }

    private static string[] Links() =>
        Directory.Exists($"/sys/class/net/{Bridge}/brif")
            ?
            [
                .. Directory
                    .GetFileSystemEntries($"/sys/class/net/{Bridge}/brif")
                    .Select(link => Path.GetFileName(link)),
            ]
            : [];

    private static void Ip(params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", words))!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"ip {string.Join(' ', words)} ended with {process.ExitCode}");
        }
    }
}
