using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dti.Server.Configuration;
using Dti.V1;
using Google.Protobuf;
using Resolved = Dti.Engine.Generation.GenerationSettings;

namespace Dti.Server.Mapping;

/// <summary>
/// The settings of an image as text of a PNG: <c>parameters</c> as A1111 writes them, <c>prompt</c> as ComfyUI opens a
/// file, with the nodes of the pack, and <c>dti</c>, the options of the request with every setting filled in.
/// </summary>
/// <param name="options">The options of the job, complete.</param>
/// <param name="settings">The same, resolved.</param>
/// <param name="blend">The interpolation whose frame it is; null: it is none.</param>
internal sealed class PictureMetadata(GenerationOptions options, Resolved settings, InterpolateRequest? blend)
{
    private const string Karras = "_karras";

    private static readonly JsonSerializerOptions _readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Keywords and their text.</summary>
    /// <param name="index">Of the image in its job.</param>
    /// <param name="t">Position between two concepts; null: it is no frame.</param>
    public IEnumerable<(string Keyword, string Text)> Of(int index, double? t) =>
        [("parameters", Parameters(index, t)), ("prompt", Graph(t).ToJsonString()), ("dti", Request(index, t))];

    // modules/processing.py of A1111, create_infotext: the prompt, the negative prompt, and one line of settings.
    private string Parameters(int index, double? t)
    {
        var text = new StringBuilder(settings.Prompt);
        if (settings.NegativePrompt is { Length: > 0 } negative)
        {
            text.Append("\nNegative prompt: ").Append(negative);
        }

        List<(string Name, string Value)> fields =
        [
            ("Steps", Number(settings.Steps)),
            ("Sampler", Sampler(settings.Scheduler)),
            ("Schedule type", settings.Scheduler.EndsWith(Karras, StringComparison.Ordinal) ? "Karras" : "Automatic"),
            ("CFG scale", Number(settings.GuidanceScale)),
            ("Seed", Number(settings.Seed)),
            ("Size", $"{Number(settings.Width)}x{Number(settings.Height)}"),
            ("Model", options.Model),
        ];
        if (options.Vae.Length > 0)
        {
            fields.Add(("VAE", options.Vae));
        }

        if (settings.ClipSkip > 1)
        {
            fields.Add(("Clip skip", Number(settings.ClipSkip)));
        }

        if (settings.ImageCount > 1 && blend is null)
        {
            // the noise of an image follows from the seed and from its place in the batch
            fields.Add(("Batch size", Number(settings.ImageCount)));
            fields.Add(("Batch pos", Number(index)));
        }

        if (blend is not null && t is { } position)
        {
            fields.Add(("Blend", $"{blend.FromConcept} to {blend.ToConcept}, t {Number(position)}"));
        }

        fields.Add(("Version", $"Dti {ServerVersion.Text}"));
        return text.Append('\n')
            .AppendJoin(", ", fields.Select(field => $"{field.Name}: {Quote(field.Value)}"))
            .ToString();
    }

    // ComfyUI's API format: nodes by id; a pair is another node's id and the number of its output.
    private JsonObject Graph(double? t)
    {
        var inputs = new JsonObject
        {
            ["prompt"] = settings.Prompt,
            ["seed"] = settings.Seed,
            ["steps"] = settings.Steps,
            ["guidance_scale"] = settings.GuidanceScale,
            ["sampler_name"] = settings.Scheduler.Replace(Karras, "", StringComparison.Ordinal),
            ["scheduler"] = settings.Scheduler.EndsWith(Karras, StringComparison.Ordinal) ? "karras" : "normal",
            ["width"] = settings.Width,
            ["height"] = settings.Height,
            ["model"] = options.Model,
        };
        var graph = new JsonObject();
        if (blend is null)
        {
            inputs["negative_prompt"] = settings.NegativePrompt ?? "";
            inputs["num_images"] = settings.ImageCount;
        }
        else
        {
            graph["2"] = Node("DtiLoadConcept", new() { ["name"] = blend.FromConcept });
            graph["3"] = Node("DtiLoadConcept", new() { ["name"] = blend.ToConcept });
            inputs["from_concept"] = Output("2");
            inputs["to_concept"] = Output("3");
            inputs["t"] = t;
            inputs["frames"] = 1; // the image at t
        }

        graph["1"] = Node(blend is null ? "DtiGenerate" : "DtiInterpolateConcepts", inputs);
        graph["4"] = Node("SaveImage", new() { ["images"] = Output("1"), ["filename_prefix"] = "dti" });
        return graph;

        static JsonObject Node(string type, JsonObject inputs) => new() { ["class_type"] = type, ["inputs"] = inputs };

        static JsonArray Output(string id) => [id, 0];
    }

    private string Request(int index, double? t)
    {
        var request = new JsonObject { ["options"] = JsonNode.Parse(JsonFormatter.Default.Format(options)) };
        if (blend is not null)
        {
            request["fromConcept"] = blend.FromConcept;
            request["toConcept"] = blend.ToConcept;
            request["t"] = t;
        }

        request["index"] = index;
        request["version"] = ServerVersion.Text;
        return request.ToJsonString();
    }

    private static string Sampler(string scheduler) =>
        scheduler.Replace(Karras, "", StringComparison.Ordinal) switch
        {
            "ddim" => "DDIM",
            "dpmpp_2m" => "DPM++ 2M",
            "euler" => "Euler",
            "euler_ancestral" => "Euler a",
            "pndm" => "PLMS",
            var other => other,
        };

    private static string Quote(string value) =>
        value.AsSpan().IndexOfAny(",:\n") < 0 ? value : JsonSerializer.Serialize(value, _readable);

    private static string Number<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
