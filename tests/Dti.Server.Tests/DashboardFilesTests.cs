using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dti.Server.Telemetry;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using YamlDotNet.Serialization;

namespace Dti.Server.Tests;

/// <summary>The dashboard for Grafana and the alerts for Prometheus in <c>packaging</c>.</summary>
[Collection(nameof(WholeProcess))]
public sealed partial class DashboardFilesTests
{
    private static readonly string _packaging = Path.Combine(Fixtures.Root, "..", "..", "packaging");

    [Fact]
    public async Task Expressions_EveryMetric_IsExported()
    {
        await using var server = TestServer.Start(options => options with { MetricsPort = 0 });
        foreach (var instrument in Instruments())
        {
            Record(instrument);
        }

        using var http = new HttpClient();
        var page = await http.GetStringAsync(
            new Uri(server.MetricsAddress!, "metrics"),
            TestContext.Current.CancellationToken
        );
        var exported = page.Split('\n')
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => Name().Match(line).Value)
            .ToHashSet(StringComparer.Ordinal);

        var used = Alerts().Concat(Panels()).SelectMany(MetricsOf).ToHashSet(StringComparer.Ordinal);

        Assert.Contains("dti_jobs_waiting", used);
        Assert.Empty(used.Except(exported).Except(["up"])); // which Prometheus makes
    }

    /// <summary>Every instrument of the server.</summary>
    private static IEnumerable<object> Instruments() =>
        typeof(DtiMetrics)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => !field.IsLiteral)
            .Select(field => field.GetValue(null)!);

    /// <summary>Gives an instrument a value of zero.</summary>
    private static void Record(object instrument)
    {
        var type = instrument.GetType();
        var value = Activator.CreateInstance(type.GetGenericArguments()[0])!;
        (type.GetMethod("Add", [value.GetType()]) ?? type.GetMethod("Record", [value.GetType()]))!.Invoke(
            instrument,
            [value]
        );
    }

    private static IEnumerable<string> Alerts()
    {
        var rules = new DeserializerBuilder()
            .Build()
            .Deserialize<Dictionary<string, List<Dictionary<string, object>>>>(
                File.ReadAllText(Path.Combine(_packaging, "prometheus", "alerts.yml"))
            );
        return rules["groups"]
            .SelectMany(group => (List<object>)group["rules"])
            .Cast<Dictionary<object, object>>()
            .Select(rule => (string)rule["expr"]);
    }

    private static IEnumerable<string> Panels() =>
        JsonSerializer.Deserialize<JsonNode>(File.ReadAllText(Path.Combine(_packaging, "grafana", "dti.json")))![
            "panels"
        ]!
            .AsArray()
            .SelectMany(panel => panel!["targets"]!.AsArray())
            .Select(target => (string)target!["expr"]!);

    /// <summary>The names in an expression that are neither functions, labels nor words of PromQL.</summary>
    private static IEnumerable<string> MetricsOf(string expression) =>
        Metric()
            .Matches(Grouping().Replace(Selector().Replace(expression, ""), ""))
            .Select(match => match.Value)
            .Where(name => name is not ("and" or "or" or "unless"));

    [GeneratedRegex("^[a-z_]+")]
    private static partial Regex Name();

    [GeneratedRegex("\\{[^}]*\\}|\\[[^]]*\\]")]
    private static partial Regex Selector();

    [GeneratedRegex("\\b(by|without|on|ignoring)\\s*\\([^)]*\\)")]
    private static partial Regex Grouping();

    [GeneratedRegex("\\b[a-z][a-z_]*\\b(?!\\s*\\()")]
    private static partial Regex Metric();
}
