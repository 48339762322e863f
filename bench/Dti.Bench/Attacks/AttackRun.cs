using System.Diagnostics;
using System.Globalization;

namespace Dti.Bench.Attacks;

/// <summary>Runs every attack against a built server, and writes down whether it held.</summary>
internal static class AttackRun
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        var program = Path.GetFullPath(arguments.Text("--program", ""));
        string[] only = arguments.Has("--only") ? arguments.Text("--only", "").Split(',') : [];
        var table = new Table("attack", "what was measured", "held", "seconds");
        var faults = 0;
        foreach (var (name, attack) in Attack.All.Where(pair => only.Length == 0 || only.Contains(pair.Name)))
        {
            var began = Stopwatch.GetTimestamp();
            var (measured, held) = await attack(program).ConfigureAwait(false);
            faults += held == false ? 1 : 0;
            table.Add(
                name,
                measured,
                held switch
                {
                    true => "yes",
                    false => "NO",
                    null => "skipped",
                },
                Stopwatch.GetElapsedTime(began).TotalSeconds.ToString("F0", CultureInfo.InvariantCulture)
            );
        }

        if (only.Length == 0)
        {
            table.Save(
                "attacks",
                "Attacks on `dti serve`, each on a server of its own (`Dti.Bench attacks`). [docs/security.md](../docs/security.md#bounds) lists the bounds."
            );
        }

        return faults;
    }
}
