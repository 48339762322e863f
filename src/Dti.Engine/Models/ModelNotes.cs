using System.Text.Json;
using Dti.Engine.Configs;

namespace Dti.Engine.Models;

/// <summary>
/// The file that a model's folder may hold for Dti, <c>dti.json</c>: what its maker has measured of it. Each reader
/// knows its own keys.
/// </summary>
internal sealed class ModelNotes : IDisposable
{
    /// <summary>The file.</summary>
    public const string FileName = "dti.json";

    /// <summary>The key of all that the model knows, a noun phrase; absent: photographs in general.</summary>
    public const string DomainKey = "domain";

    private const int MaxDomainLength = 200;
    private static readonly string[] _known = ["training", DomainKey, LatentRgbFactors.Key];
    private readonly string _path;
    private readonly JsonDocument? _json;

    private ModelNotes(string path)
    {
        _path = path;
        if (!File.Exists(path))
        {
            return;
        }

        _json = BoundedJson.Read(path);
        if (
            _json.RootElement.ValueKind != JsonValueKind.Object
            || !_known.Any(key => _json.RootElement.TryGetProperty(key, out _))
        )
        {
            _json.Dispose();
            throw Bad($"it has none of {string.Join(", ", _known.Select(key => $"\"{key}\""))}");
        }
    }

    /// <summary>Reads a folder's file; empty where there is none, and for a model that is a single file.</summary>
    /// <exception cref="DtiException">It is not JSON, or says nothing that is known.</exception>
    public static ModelNotes Read(string folder) => new(Path.Combine(folder, FileName));

    /// <summary>The value of a key; null: it is not there.</summary>
    /// <exception cref="DtiException">It is of another kind.</exception>
    public JsonElement? Find(string key, JsonValueKind kind) =>
        _json is null || !_json.RootElement.TryGetProperty(key, out var value) ? null
        : value.ValueKind == kind ? value
        : throw Bad($"{key} is not {Name(kind)}");

    /// <summary>All that the model knows; null: photographs in general.</summary>
    /// <exception cref="DtiException">It is empty, too long, or has line breaks.</exception>
    public string? Domain() =>
        Find(DomainKey, JsonValueKind.String)?.GetString() is not { } text ? null
        : text.Length <= MaxDomainLength && !string.IsNullOrWhiteSpace(text) && !text.Any(char.IsControl) ? text
        : throw Bad($"{DomainKey} must be one line of 1 to {MaxDomainLength} characters");

    private static string Name(JsonValueKind kind) =>
        kind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.String => "a text",
            _ => "a list",
        };

    /// <summary>What is wrong with it.</summary>
    public DtiException Bad(string why) => new(ErrorKind.FailedPrecondition, $"{_path} cannot be used: {why}.");

    public void Dispose() => _json?.Dispose();
}
