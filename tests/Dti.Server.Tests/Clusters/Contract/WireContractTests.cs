using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dti.Server.Configuration;
using Dti.Server.Jobs.Grains;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Dti.Server.Tests.Clusters.Contract;

/// <summary>
/// Hosts of two consecutive releases work in one cluster, and read what the earlier one stored. <c>Released</c> has a
/// file for each release, with its contract and the bytes of its values.
/// </summary>
public sealed class WireContractTests
{
    private static readonly JsonSerializerOptions _indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // types have angle brackets
    };

    private static readonly Serializer _serializer = new ServiceCollection()
        .AddSerializer(builder => builder.AddAssembly(typeof(JobRecord).Assembly))
        .BuildServiceProvider()
        .GetRequiredService<Serializer>();

    public static TheoryData<string> Releases =>
        [.. Directory.GetFiles(Folder(), "*.json").Select(file => Path.GetFileNameWithoutExtension(file))];

    [Fact]
    public void Unidentified_TypesOnTheWire_AreNone() => Assert.Empty(WireContract.Unidentified);

    [Fact]
    public void All_TypesOnTheWire_HaveASampleWithEveryMemberSet()
    {
        Assert.Equal(
            WireContract.Types.Where(type => !typeof(Exception).IsAssignableFrom(type)).Order(ByName),
            WireSamples.All.Values.Select(sample => sample.Value.GetType()).Order(ByName)
        );
        Assert.All(WireSamples.All.Values, sample =>
        {
            Assert.DoesNotContain("null", sample.Json, StringComparison.Ordinal);
            Assert.Equal(sample.Json, sample.Read(_serializer, sample.Serialize(_serializer)));
        });
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void Read_BytesOfARelease_AreUnderstood(string release)
    {
        var recorded = Read(release);

        Assert.All(recorded.Values, one =>
            AssertHasAll(
                JsonNode.Parse(one.Json),
                JsonNode.Parse(WireSamples.All[one.Alias].Read(_serializer, Convert.FromBase64String(one.Bytes)))
            )
        );
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void Lines_OfARelease_AreStillThere(string release) =>
        Assert.Empty(Read(release).Contract.Except(WireContract.Lines));

    [Fact]
    public void Releases_ThisVersion_IsRecorded()
    {
        var current = new Release(
            WireContract.Lines,
            [
                .. WireSamples
                    .All.OrderBy(sample => sample.Key, StringComparer.Ordinal)
                    .Select(sample => new Value(
                        sample.Key,
                        sample.Value.Json,
                        Convert.ToBase64String(sample.Value.Serialize(_serializer))
                    )),
            ]
        );
        var file = Path.Combine(Folder(), $"{ServerVersion.Text}.json");
        var text = JsonSerializer.Serialize(current, _indented) + "\n";
        if (!File.Exists(file) || File.ReadAllText(file) != text)
        {
            var received = Path.Combine(AppContext.BaseDirectory, Path.GetFileName(file));
            File.WriteAllText(received, text);
            Assert.Fail(
                $"The contract between hosts differs from {file}. If the change is meant, and version {ServerVersion.Text} is not yet released, copy {received} there."
            );
        }
    }

    /// <summary>Everything that was recorded is read. Members that came later may be there, too.</summary>
    private static void AssertHasAll(JsonNode? recorded, JsonNode? read)
    {
        switch (recorded)
        {
            case JsonObject members:
                Assert.All(members, member => AssertHasAll(member.Value, read![member.Key]));
                break;
            case JsonArray elements:
                Assert.Equal(elements.Count, read!.AsArray().Count);
                Assert.All(elements, (element, index) => AssertHasAll(element, read[index]));
                break;
            default:
                Assert.True(JsonNode.DeepEquals(recorded, read), $"{recorded} was recorded, {read} is read.");
                break;
        }
    }

    private static Comparer<Type> ByName =>
        Comparer<Type>.Create((one, other) => string.CompareOrdinal(one.FullName, other.FullName));

    private static Release Read(string release) =>
        JsonSerializer.Deserialize<Release>(File.ReadAllText(Path.Combine(Folder(), $"{release}.json")))!;

    private static string Folder([CallerFilePath] string file = "") =>
        Path.Combine(Path.GetDirectoryName(file)!, "Released");

    private sealed record Release(IReadOnlyList<string> Contract, IReadOnlyList<Value> Values);

    private sealed record Value(string Alias, string Json, string Bytes);
}
