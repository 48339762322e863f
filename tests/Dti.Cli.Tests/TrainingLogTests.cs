using System.Buffers.Binary;
using System.Text;
using Dti.Cli.Output;
using Dti.Cli.Work;
using Dti.ClientSdk;
using Dti.Tests;
using Google.Protobuf;

namespace Dti.Cli.Tests;

/// <summary>The files of <c>dti train --log-dir</c>.</summary>
public class TrainingLogTests(ServeFixture server)
{
    private static readonly DateTimeOffset _now = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500);

    /// <summary>Of RFC 3720, B.4, masked by hand.</summary>
    [Theory]
    [InlineData(0x00, 0x8A91_36AAu)]
    [InlineData(0xFF, 0x62A8_AB43u)]
    public void Checksum_KnownData_IsItsMaskedCrc32C(byte value, uint crc) =>
        Assert.Equal(
            unchecked(((crc >> 15) | (crc << 17)) + 0xA282_EAD8u),
            EventFile.Checksum(Enumerable.Repeat(value, 32).ToArray())
        );

    /// <summary>The first record of every event file, written out by hand: the time, then the version.</summary>
    [Fact]
    public void Create_NewFile_BeginsWithTheRecordOfItsVersion()
    {
        var folder = server.NewFolder();

        using (new EventFile(folder, new StoppedClock())) { }

        var bytes = File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder, "*tfevents*")));
        byte[] message =
        [
            0x09, // field 1, 64 bits: 1700000000.5
            .. BitConverter.GetBytes(1_700_000_000.5),
            0x10, // field 2, a number: 0
            0x00,
            0x1A, // field 3, 13 bytes
            0x0D,
            .. "brain.Event:2"u8,
        ];
        Assert.Equal([26, 0, 0, 0, 0, 0, 0, 0], bytes[..8]);
        Assert.Equal(message, bytes[12..38]);
        Assert.Equal(42, bytes.Length);
        Assert.Equal(EventFile.Checksum(message), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(38)));
    }

    [Fact]
    public void Add_StepsChecksAndPreviews_AreReadBack()
    {
        var folder = server.NewFolder();
        using (var log = new TrainingLog(folder, new JsonOutput(TextWriter.Null), new StoppedClock()))
        {
            log.Open("my-cat", "abc");
            log.Add(new TrainingProgress(1, 2, 0.5, 0.25, 0.4, 12, 0.001, 0.04, 3, null));
            log.Add(new TrainingCheck(2, 0.75, 0.125));
            log.Add(new TrainingPreview(2, Preview([1, 2, 3])));
        }

        var run = Path.Combine(folder, "my-cat-abc");
        Assert.Equal(
            "step,loss,loss_average,norm,angle_degrees,kappa_over_gradient,learning_rate,steps_per_second\n"
                + "1,0.5,0.25,0.4,12,0.001,0.04,3\n",
            File.ReadAllText(Path.Combine(run, "curves.csv"))
        );
        Assert.Equal("step,held_out_loss,drift\n2,0.75,0.125\n", File.ReadAllText(Path.Combine(run, "checks.csv")));
        var events = Read(Assert.Single(Directory.GetFiles(run, "events.out.tfevents.*"))).ToList();
        Assert.Contains((1, "loss", 0.5f, null), events);
        Assert.Contains((1, "learning_rate", 0.04f, null), events);
        Assert.Contains((2, "held_out_loss", 0.75f, null), events);
        var preview = Assert.Single(events, value => value.Image is not null);
        Assert.Equal((2, "preview_0"), (preview.Step, preview.Tag));
        Assert.Equal([1, 2, 3], preview.Image);
        Assert.Equal(10, events.Count);
    }

    [Fact]
    public async Task Train_LogDir_HasACurveOfEveryStep()
    {
        var folder = server.NewFolder();

        var result = await server.RunAsync(
            folder,
            [
                "train",
                "logged",
                Fixtures.Common("preprocess_square.png"),
                .. "--initializer cat --steps 2 --batch 1 --resolution 64 --preview-every 0".Split(' '),
                .. "--log-dir logs --json".Split(' '),
            ]
        );

        Assert.Equal((ExitCode.Ok, ""), (result.ExitCode, result.Error));
        var run = result.Event("log").GetProperty("path").GetString()!;
        Assert.Equal(Path.Combine(folder, "logs"), Path.GetDirectoryName(run));
        Assert.Equal(
            ["step", "1", "2"],
            File.ReadLines(Path.Combine(run, "curves.csv")).Select(line => line.Split(',')[0])
        );
        Assert.Equal(
            [1, 2],
            Read(Assert.Single(Directory.GetFiles(run, "events.out.tfevents.*")))
                .Where(value => value.Tag == "loss")
                .Select(value => value.Step)
        );
    }

    private static Picture Preview(byte[] png) => new(png, "image/png", 8, 4, 0, "a photo", 1, null);

    /// <summary>The values of an event file, with both checksums of every record checked.</summary>
    private static IEnumerable<(int Step, string Tag, float Value, byte[]? Image)> Read(string file)
    {
        var bytes = File.ReadAllBytes(file);
        for (var at = 0; at < bytes.Length; )
        {
            var length = (int)BitConverter.ToInt64(bytes, at);
            Assert.Equal(EventFile.Checksum(bytes.AsSpan(at, 8)), BitConverter.ToUInt32(bytes, at + 8));
            var message = bytes.AsSpan(at + 12, length).ToArray();
            Assert.Equal(EventFile.Checksum(message), BitConverter.ToUInt32(bytes, at + 12 + length));
            at += length + 16;
            var happened = Fields(message);
            if (!happened.TryGetValue(5, out var summary))
                continue;
            var value = Fields((byte[])Fields((byte[])summary)[1]);
            var image = value.TryGetValue(4, out var picture) ? Fields((byte[])picture) : null;
            if (image is not null)
                Assert.Equal((4L, 8L, 3L), ((long)image[1], (long)image[2], (long)image[3]));
            yield return (
                (int)(long)happened[2],
                Encoding.UTF8.GetString((byte[])value[1]),
                value.TryGetValue(2, out var scalar) ? (float)scalar : 0,
                (byte[]?)image?[4]
            );
        }
    }

    private static Dictionary<int, object> Fields(byte[] message)
    {
        var fields = new Dictionary<int, object>();
        var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag && tag != 0)
        {
            fields.Add(
                WireFormat.GetTagFieldNumber(tag),
                WireFormat.GetTagWireType(tag) switch
                {
                    WireFormat.WireType.Varint => input.ReadInt64(),
                    WireFormat.WireType.Fixed64 => input.ReadDouble(),
                    WireFormat.WireType.Fixed32 => input.ReadFloat(),
                    _ => input.ReadBytes().ToByteArray(),
                }
            );
        }

        return fields;
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => _now;
    }
}
