using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Errors;

/// <summary>
/// A status travels in headers, the message twice, and peers take 8 KiB of these: more breaks the connection of every
/// call on it. So what callers wrote is quoted as far as there is room.
/// </summary>
internal static class StatusSize
{
    private const int MessageBytes = 1500;
    private const int DetailBytes = 2500;
    private const int MaxFieldLength = 48;
    private const int MinDescriptionLength = 24;

    // each with its tags and lengths
    private const int MaxFields = DetailBytes / (MaxFieldLength + MinDescriptionLength + 8);

    /// <summary>The status, its texts cut where they are too long.</summary>
    public static RpcStatus Fit(int code, string message, IMessage[] details)
    {
        foreach (var detail in details)
        {
            switch (detail)
            {
                case BadRequest wrong:
                    Fit(wrong);
                    break;
                case ErrorInfo info:
                    foreach (var (key, value) in info.Metadata.ToList())
                    {
                        info.Metadata[key] = Cut(value, DetailBytes / Math.Max(1, info.Metadata.Count));
                    }

                    break;
            }
        }

        var status = new RpcStatus { Code = code, Message = Cut(message, MessageBytes) };
        status.Details.AddRange(details.Select(Any.Pack));
        return status;
    }

    /// <summary>Every field is named for as long as there is room for names; descriptions share what is left.</summary>
    private static void Fit(BadRequest wrong)
    {
        var fields = wrong.FieldViolations;
        if (fields.Count > MaxFields)
        {
            var left = fields.Count - MaxFields + 1;
            while (fields.Count >= MaxFields)
            {
                fields.RemoveAt(fields.Count - 1);
            }

            fields.Add(new BadRequest.Types.FieldViolation { Field = "", Description = $"And {left} more." });
        }

        while (wrong.CalculateSize() > DetailBytes)
        {
            var longest = fields.MaxBy(field => field.CalculateSize())!;
            longest.Field = Cut(longest.Field, MaxFieldLength);
            longest.Description = Cut(
                longest.Description,
                Math.Max(MinDescriptionLength, Encoded(longest.Description) / 2)
            );
        }
    }

    /// <summary>
    /// The beginning, and a full stop, that take so many bytes in a header, where all but ASCII takes three for each
    /// byte.
    /// </summary>
    private static string Cut(string text, int bytes)
    {
        if (Encoded(text) <= bytes)
        {
            return text;
        }

        var (kept, size) = (0, 4);
        foreach (var rune in text.EnumerateRunes())
        {
            size += rune.Value is >= 0x20 and < 0x7F and not '%' ? 1 : 3 * rune.Utf8SequenceLength;
            if (size > bytes)
            {
                break;
            }

            kept += rune.Utf16SequenceLength;
        }

        return text[..kept] + "....";
    }

    private static int Encoded(string text) =>
        text.EnumerateRunes()
            .Sum(rune => rune.Value is >= 0x20 and < 0x7F and not '%' ? 1 : 3 * rune.Utf8SequenceLength);
}
