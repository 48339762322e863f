using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;
using Grpc.Core;

namespace Dti.Server.Tests.Attacks;

/// <summary>Bytes that are no message of gRPC. The server fails each test if it logs an error.</summary>
public sealed class FramingTests
{
    private const string Check = "grpc.health.v1.Health/Check";
    private const string Reflection = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

    [Theory]
    [InlineData("", null)]
    [InlineData("00000000", null)] // half a header
    [InlineData("0000000010616263", null)] // less than its length
    [InlineData("0700000000", null)] // a flag that does not exist
    [InlineData("01000000026162", null)] // compressed, and no encoding is named
    [InlineData("01000000026162", "identity")]
    [InlineData("01000000026162", "gzip")]
    [InlineData("01000000026162", "deflate")]
    [InlineData("0100000000", "gzip")]
    [InlineData("00000000000000000000", null)] // two messages
    [InlineData("00000000000f", null)] // and a byte after it
    [InlineData("0000000002ffff", null)] // no field
    [InlineData("00000000030a01ff", null)] // a text that is not UTF-8
    [InlineData("0000000003ffffff", null)]
    public async Task Call_BytesThatAreNoMessage_IsAWrongRequest(string bytes, string? encoding)
    {
        await using var server = GuardedServer.Start();
        using var raw = new RawGrpc(server.Server.Address);

        var answer = await raw.CallAsync(Check, Convert.FromHexString(bytes), encoding: encoding);

        Assert.Equal((StatusCode.InvalidArgument, "MALFORMED_MESSAGE"), answer);
    }

    [Theory]
    [InlineData("00000000")]
    [InlineData("0700000000")]
    [InlineData("01000000026162")]
    [InlineData("0000000002ffff")]
    public async Task Reflection_BytesThatAreNoMessage_IsAWrongRequest(string bytes)
    {
        await using var server = GuardedServer.Start();
        using var raw = new RawGrpc(server.Server.Address);

        var answer = await raw.CallAsync(Reflection, Convert.FromHexString(bytes), token: server.Secrets[Scopes.Read]);

        Assert.Equal((StatusCode.InvalidArgument, "MALFORMED_MESSAGE"), answer);
    }

    [Fact]
    public async Task GrpcWebText_NoBase64_IsAWrongRequest()
    {
        await using var server = GuardedServer.Start();
        using var raw = new RawGrpc(server.Server.Address);

        var answer = await raw.CallAsync(Check, [0, 0, 0, 0, 0], "application/grpc-web-text");

        Assert.Equal((StatusCode.InvalidArgument, "MALFORMED_MESSAGE"), answer);
    }

    [Fact]
    public async Task Call_EncodingThatIsNotKnown_IsUnimplemented()
    {
        await using var server = GuardedServer.Start();
        using var raw = new RawGrpc(server.Server.Address);

        Assert.Equal(
            StatusCode.Unimplemented,
            (await raw.CallAsync(Check, RawGrpc.Frame("ab"u8, flag: 1), encoding: "zstd")).Code
        );
    }

    [Theory]
    [InlineData(null)]
    [InlineData("gzip")]
    public async Task Call_Message_IsReadWithAndWithoutCompression(string? encoding)
    {
        await using var server = GuardedServer.Start();
        using var raw = new RawGrpc(server.Server.Address);
        var name = new V1.ConceptServiceGetRequest { Name = "cat" };
        var message = Google.Protobuf.MessageExtensions.ToByteArray(name);

        var answer = await raw.CallAsync(
            "dti.v1.ConceptService/Get",
            encoding is null ? RawGrpc.Frame(message) : RawGrpc.Packed(message),
            encoding: encoding,
            token: server.Secrets[Scopes.Read]
        );

        Assert.Equal((StatusCode.NotFound, "CONCEPT_NOT_FOUND"), answer);
    }
}
