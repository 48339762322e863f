using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dti.Server.Diagnosis;

namespace Dti.Cli.Output;

/// <summary>One JSON object a line on stdout, and nothing else there.</summary>
internal sealed class JsonOutput(TextWriter writer) : IOutput
{
    private static readonly JsonSerializerOptions _options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower), new SecondsConverter() },
    };

    public void Event(string name, object value)
    {
        var line = new JsonObject { ["event"] = name };
        foreach (
            var (key, node) in JsonSerializer.SerializeToNode(value, value.GetType(), _options)!.AsObject().ToList()
        )
            line[key] = node?.DeepClone();
        writer.WriteLine(line.ToJsonString(_options));
        writer.Flush();
    }

    public void Line(string text = "") { }

    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows) { }

    public void Finding(Finding finding) => Event("finding", finding);

    public void Warning(string code, string message) => Event("warning", new { code, message });

    public void Error(CommandError error) => Event("error", error);

    public Task WithProgressAsync(string title, Func<IProgressMeter, Task> work) => work(NoMeter.Instance);

    // Progress goes out as events, which carry more than a meter shows.
    private sealed class NoMeter : IProgressMeter
    {
        public static readonly NoMeter Instance = new();

        public void Report(int step, int total, string details, TimeSpan? timeLeft) { }
    }

    // Durations are numbers of seconds for programs.
    private sealed class SecondsConverter : JsonConverter<TimeSpan>
    {
        public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TimeSpan.FromSeconds(reader.GetDouble());

        public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(Math.Round(value.TotalSeconds, 3));
    }
}
