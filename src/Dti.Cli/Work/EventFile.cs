using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Google.Protobuf;

namespace Dti.Cli.Work;

/// <summary>
/// An event file of TensorBoard: records of TensorFlow (tensorflow/core/lib/io/record_writer.h), each with a message
/// Event (tensorflow/core/util/event.proto). Every event is in the file when its call returns.
/// </summary>
internal sealed class EventFile : IDisposable
{
    private readonly FileStream _file;
    private readonly TimeProvider _time;

    /// <summary>Creates the file.</summary>
    /// <param name="folder">Its folder; TensorBoard names a run after it.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public EventFile(string folder, TimeProvider time)
    {
        _time = time;
        // TensorBoard reads files with "tfevents" in their names, in the order of their names.
        var seconds = time.GetUtcNow().ToUnixTimeSeconds();
        var name = $"events.out.tfevents.{seconds:D10}.{Environment.MachineName}.{Environment.ProcessId}";
        _file = new FileStream(Path.Combine(folder, name), FileMode.Create, FileAccess.Write, FileShare.Read);
        Write(0, output => WriteBytes(output, 3, "brain.Event:2"u8));
    }

    /// <summary>Adds a value of a curve.</summary>
    public void AddScalar(string tag, int step, double value) => AddValue(tag, step, output =>
        {
            output.WriteTag(2, WireFormat.WireType.Fixed32); // simple_value
            output.WriteFloat((float)value);
        });

    /// <summary>Adds an image.</summary>
    /// <param name="tag">Its name.</param>
    /// <param name="step">Its step.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="file">A PNG or JPEG.</param>
    public void AddImage(string tag, int step, int width, int height, ReadOnlySpan<byte> file)
    {
        var encoded = file.ToArray();
        AddValue(tag, step, output => WriteBytes(
                output,
                4, // image
                Message(image =>
                {
                    WriteNumber(image, 1, height);
                    WriteNumber(image, 2, width);
                    WriteNumber(image, 3, 3); // colorspace: RGB
                    WriteBytes(image, 4, encoded);
                })
            ));
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The checksum of a record: CRC-32C, masked so that checksums of checksums are not degenerate.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + 0xa282_ead8;
    }

    private void AddValue(string tag, int step, Action<CodedOutputStream> write) => Write(step, output =>
        {
            var value = Message(message =>
            {
                WriteBytes(message, 1, Encoding.UTF8.GetBytes(tag));
                write(message);
            });
            WriteBytes(output, 5, Message(summary => WriteBytes(summary, 1, value))); // summary, its value
        });

    private void Write(int step, Action<CodedOutputStream> write)
    {
        var message = Message(output =>
        {
            output.WriteTag(1, WireFormat.WireType.Fixed64); // wall_time
            output.WriteDouble(_time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
            WriteNumber(output, 2, step);
            write(output);
        });
        Span<byte> frame = stackalloc byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(frame, message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], Checksum(frame[..8]));
        _file.Write(frame);
        _file.Write(message);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Checksum(message));
        _file.Write(frame[..4]);
        _file.Flush();
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
            write(output);
        return bytes.ToArray();
    }

    private static void WriteNumber(CodedOutputStream output, int field, int number)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt64(number);
    }

    private static void WriteBytes(CodedOutputStream output, int field, ReadOnlySpan<byte> bytes)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(bytes));
    }
}
