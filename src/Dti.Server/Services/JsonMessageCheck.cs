using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Dti.Engine;
using Dti.Server.Configuration;
using Google.Protobuf.Reflection;

namespace Dti.Server.Services;

/// <summary>
/// Compares a JSON text with a message of the contract by proto3's JSON mapping. It allocates nothing for values that
/// are as they must be.
/// </summary>
/// <param name="message">The message that the request is to become.</param>
internal sealed class JsonMessageCheck(MessageDescriptor message)
{
    private const int MaxFound = 32; // a status names at most 31
    private const int Shown = 40; // characters of a value

    private readonly List<FieldViolation> _found = [];
    private int _values;

    /// <summary>Everything that is wrong.</summary>
    public IReadOnlyList<FieldViolation> Found => _found;

    /// <summary>Checks a body.</summary>
    /// <param name="utf8">The text; empty: no field is set.</param>
    public void Body(ReadOnlySpan<byte> utf8)
    {
        utf8 = utf8.StartsWith(Encoding.UTF8.Preamble) ? utf8[Encoding.UTF8.Preamble.Length..] : utf8;
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                Message(ref reader, message, "");
            }
            else
            {
                Add("", "The body must be a JSON object.");
            }
        }
        catch (JsonException error)
        {
            if (_values > RequestBounds.MaxFields)
            {
                return;
            }

            var place = $"line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}";
            Add("", $"The body is not JSON: it breaks off or is wrong at {place}.");
        }
    }

    /// <summary>Checks the query: names are paths of fields, <c>options.steps</c>.</summary>
    /// <param name="query">Names and values.</param>
    /// <param name="route">Names that the route has.</param>
    public void Query(IEnumerable<(string Name, string?[] Values)> query, IReadOnlyCollection<string> route)
    {
        foreach (var (name, values) in query.Where(pair => !route.Contains(pair.Name)))
        {
            var (type, path, field) = ((MessageDescriptor?)message, "", (FieldDescriptor?)null);
            foreach (var part in name.Split('.'))
            {
                field = type is null ? null : JsonFieldNames.Find(type, part);
                if (field is null)
                {
                    Unknown(type ?? message, path, part);
                    break;
                }

                path = JsonFieldNames.Join(path, field.Name);
                type = field.FieldType == FieldType.Message ? field.MessageType : null;
            }

            if (field is not null and not { FieldType: FieldType.Message })
            {
                Array.ForEach(values, value => Text(field, path, value ?? ""));
            }
        }
    }

    private void Message(ref Utf8JsonReader reader, MessageDescriptor type, string path)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var field = JsonFieldNames.Find(type, name);
            reader.Read();
            if (field is null)
            {
                Unknown(type, path, name);
                reader.Skip();
            }
            else if (reader.TokenType != JsonTokenType.Null)
            {
                Field(ref reader, field, JsonFieldNames.Join(path, field.Name));
            }
        }
    }

    private void Field(ref Utf8JsonReader reader, FieldDescriptor field, string path)
    {
        if (field.IsMap)
        {
            reader.Skip(); // the contract has none
        }
        else if (!field.IsRepeated)
        {
            Value(ref reader, field, path);
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            for (var index = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
            {
                Value(ref reader, field, $"{path}[{index}]");
            }
        }
        else
        {
            Wrong(ref reader, path, "a list");
        }
    }

    private void Value(ref Utf8JsonReader reader, FieldDescriptor field, string path)
    {
        if (++_values > RequestBounds.MaxFields)
        {
            _found.Clear();
            Add("", $"The body has more than {RequestBounds.MaxFields} values; send fewer.");
            throw new JsonException(); // ends the check: each value becomes an object, however few bytes it takes
        }

        switch (field.FieldType)
        {
            case FieldType.Message when field.MessageType.File.Package == "google.protobuf":
                reader.Skip(); // times and durations, which are texts
                break;
            case FieldType.Message when reader.TokenType == JsonTokenType.StartObject:
                Message(ref reader, field.MessageType, path);
                break;
            case FieldType.Message:
                Wrong(ref reader, path, "an object");
                break;
            case FieldType.Bool when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                break;
            case FieldType.Bool:
                Wrong(ref reader, path, "true or false");
                break;
            case FieldType.String
                when reader.TokenType == JsonTokenType.String
                    && reader.ValueSpan.Length > 6 * RequestBounds.MaxLength(field.Name): // \u0041 is one
                Add(
                    path,
                    $"{path} has more than {RequestBounds.MaxLength(field.Name)} characters; at most as many are read."
                );
                break;
            case FieldType.String when reader.TokenType == JsonTokenType.String:
                break;
            case FieldType.String:
                Wrong(ref reader, path, "a text in quotes");
                break;
            case FieldType.Bytes when reader.TokenType == JsonTokenType.String && IsBase64(ref reader):
                break;
            case FieldType.Bytes:
                Wrong(ref reader, path, "base64 in quotes");
                break;
            case FieldType.Enum when reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out _):
                break; // an enumeration of proto3 is open; the call itself refuses numbers that it does not know
            default:
                if (reader.TokenType is JsonTokenType.Number or JsonTokenType.String)
                {
                    var isText = reader.TokenType == JsonTokenType.String;
                    Text(field, path, isText ? reader.GetString()! : Encoding.UTF8.GetString(reader.ValueSpan));
                }
                else
                {
                    Wrong(ref reader, path, JsonScalar.Describe(field));
                }

                break;
        }
    }

    /// <summary>Checks a value that is written as a text.</summary>
    private void Text(FieldDescriptor field, string path, string text)
    {
        if (!JsonScalar.IsValid(field, text))
        {
            string[] close =
                field.FieldType == FieldType.Enum ? [.. CloseNames.Of(text, JsonScalar.Names(field.EnumType))] : [];
            var hint = close.Length > 0 ? $" Close: {string.Join(", ", close)}." : "";
            Add(path, $"{path} is {Short(text)}; expected {JsonScalar.Describe(field)}.{hint}");
        }
    }

    private void Unknown(MessageDescriptor type, string path, string name)
    {
        var shown = JsonFieldNames.Join(path, name.Length > Shown ? name[..Shown] + "…" : name);
        string[] own = [.. JsonFieldNames.Of(type, path)];
        string[] close = [.. JsonFieldNames.Close(message, own, name, shown)];
        Add(
            shown,
            $"'{shown}' is not a field of this request. "
                + (
                    close.Length > 0
                        ? $"Close: {string.Join(", ", close)}."
                        : $"There are {string.Join(", ", own.Take(30))}."
                )
        );
    }

    private static bool IsBase64(ref Utf8JsonReader reader) =>
        reader.ValueIsEscaped ? Base64.IsValid(reader.GetString()) : Base64.IsValid(reader.ValueSpan);

    private void Wrong(ref Utf8JsonReader reader, string path, string expected)
    {
        var found = reader.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "a list",
            JsonTokenType.String => Short(
                reader.ValueIsEscaped ? reader.GetString()! : Start(reader.ValueSpan, 4 * Shown)
            ),
            JsonTokenType.Null => "null",
            _ => Start(reader.ValueSpan, Shown),
        };
        Add(path, $"{path} is {found}; expected {expected}.");
        reader.Skip();

        static string Start(ReadOnlySpan<byte> utf8, int length) =>
            Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, length)]);
    }

    private static string Short(string text) => $"\"{(text.Length > Shown ? text[..Shown] + "…" : text)}\"";

    private void Add(string field, string description)
    {
        if (_found.Count < MaxFound)
        {
            _found.Add(new FieldViolation(field, description));
        }
    }
}
