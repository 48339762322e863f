using System.Globalization;

namespace Dti.Bench.Clusters;

/// <summary>
/// Kills, partitions and restarts at moments that a seed determines, spread evenly over a time.
/// </summary>
internal sealed class Faults(BenchCluster cluster, Random random)
{
    private readonly HashSet<string> _cut = [];
    private int _killed;

    /// <summary>Hosts that were killed.</summary>
    public int Kills => _killed;

    /// <summary>Seconds of each partition.</summary>
    public List<double> Partitions { get; } = [];

    /// <summary>Restarts of the database.</summary>
    public int Restarts { get; private set; }

    /// <summary>Causes them.</summary>
    public async Task CauseAsync(int kills, int partitions, int restarts, TimeSpan over)
    {
        string[] kinds =
        [
            .. Enumerable.Repeat("kill", kills),
            .. Enumerable.Repeat("partition", partitions),
            .. Enumerable.Repeat("restart", restarts),
        ];
        random.Shuffle(kinds);
        var healing = new List<Task>();
        foreach (var kind in kinds)
        {
            await Task.Delay(over / kinds.Length * (0.5 + random.NextDouble())).ConfigureAwait(false);
            switch (kind)
            {
                case "kill":
                    var host = cluster.Hosts[random.Next(cluster.Hosts.Count)];
                    Say($"kill {host.Name}");
                    host.Kill();
                    _killed++;
                    break;
                case "partition":
                    healing.Add(PartitionAsync());
                    break;
                default:
                    Say($"restart {cluster.Database.Kind}");
                    cluster.Database.Restart();
                    Restarts++;
                    break;
            }
        }

        await Task.WhenAll(healing).ConfigureAwait(false);
    }

    private async Task PartitionAsync()
    {
        string[] whole = [.. cluster.Hosts.Select(host => host.Name).Where(name => !_cut.Contains(name))];
        var name = whole[random.Next(whole.Length)];
        var seconds = 5 + (random.NextDouble() * 55);
        var isFromDatabaseAlone = random.Next(2) == 0;
        Partitions.Add(seconds);
        _cut.Add(name);
        Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"partition {name} from {(isFromDatabaseAlone ? "the database" : "all others")} for {seconds:F0} s"
            )
        );
        if (isFromDatabaseAlone)
        {
            Network.Block(name, cluster.Database.Address);
            await Task.Delay(TimeSpan.FromSeconds(seconds)).ConfigureAwait(false);
            Network.Unblock(name, cluster.Database.Address);
        }
        else
        {
            Network.Unplug(name);
            await Task.Delay(TimeSpan.FromSeconds(seconds)).ConfigureAwait(false);
            Network.Plug(name);
        }

        Say($"{name} is reachable again");
        _cut.Remove(name);
    }

    private static void Say(string what) => Console.WriteLine($"{DateTime.UtcNow:HH:mm:ss} {what}");
}
