using Dti.Server.Configuration;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Dti.Server.Services;

/// <summary>
/// Counts the fields of a message before it is parsed. A field of two bytes may become an object of a hundred, so bytes
/// alone do not bound the memory of a message.
/// </summary>
internal static class MessageFields
{
    private const int MaxDepth = 32; // the contract nests three deep

    /// <summary>
    /// Whether a message has at most <see cref="RequestBounds.MaxFields"/> fields. What is malformed is left to the
    /// parser.
    /// </summary>
    public static bool AreFew(ReadOnlySpan<byte> message, MessageDescriptor type)
    {
        var left = RequestBounds.MaxFields;
        return Count(message, type, ref left, 0);
    }

    private static bool Count(ReadOnlySpan<byte> message, MessageDescriptor? type, ref int left, int depth)
    {
        while (message.Length > 0)
        {
            if (--left < 0)
            {
                return false;
            }

            if (!TryVarint(ref message, out var tag))
            {
                return true;
            }

            switch ((WireFormat.WireType)(tag & 7))
            {
                case WireFormat.WireType.Varint when TryVarint(ref message, out _):
                case WireFormat.WireType.Fixed64 when TrySkip(ref message, 8):
                case WireFormat.WireType.Fixed32 when TrySkip(ref message, 4):
                case WireFormat.WireType.StartGroup or WireFormat.WireType.EndGroup:
                    break;
                case WireFormat.WireType.LengthDelimited
                    when TryVarint(ref message, out var length) && length <= (ulong)message.Length:
                    var content = message[..(int)length];
                    var field = type?.FindFieldByNumber((int)(tag >> 3));
                    message = message[(int)length..];
                    if (field?.FieldType == FieldType.Message && depth < MaxDepth)
                    {
                        if (!Count(content, field.MessageType, ref left, depth + 1))
                        {
                            return false;
                        }
                    }
                    else if (
                        field is { IsRepeated: true } and not { FieldType: FieldType.String or FieldType.Bytes }
                        && (left -= content.Length) < 0
                    )
                    {
                        return false; // packed numbers take a byte or more each
                    }

                    break;
                default:
                    return true;
            }
        }

        return true;
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> message, int length)
    {
        if (message.Length < length)
        {
            return false;
        }

        message = message[length..];
        return true;
    }

    private static bool TryVarint(ref ReadOnlySpan<byte> message, out ulong value)
    {
        value = 0;
        for (var (shift, at) = (0, 0); shift < 64 && at < message.Length; shift += 7, at++)
        {
            value |= (ulong)(message[at] & 0x7F) << shift;
            if (message[at] < 0x80)
            {
                message = message[(at + 1)..];
                return true;
            }
        }

        return false;
    }
}
