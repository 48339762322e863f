using Dti.Server.Errors;
using Dti.Server.Tests.Infrastructure;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace Dti.Server.Tests;

/// <summary>
/// A refusal that was larger than what peers take of headers broke the connection, and with it every call of its
/// caller.
/// </summary>
public class StatusSizeTests
{
    [Theory]
    [InlineData('x')]
    [InlineData('語')]
    public async Task Refuse_NameOfAThousandLetters_IsToldAndTheConnectionStays(char letter)
    {
        await using var server = TestServer.Start();
        var request = new V1.ConceptServiceGetRequest { Name = new string(letter, 1000) };
        for (var again = 0; again < 2; again++)
        {
            var error = await Refusal.Of(() => server.Concepts.GetAsync(request).ResponseAsync, StatusCode.NotFound);
            Assert.Equal("CONCEPT_NOT_FOUND", Refusal.Reason(error));
            Assert.StartsWith($"There is no concept '{letter}{letter}", error.Status.Detail, StringComparison.Ordinal);
            Assert.InRange(Size(error), 1000, 8000);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(31)]
    [InlineData(1000)]
    public void Invalid_ManyLongMistakes_NamesFieldsForAsLongAsThereIsRoom(int count)
    {
        var status = StatusMapper.StatusOf(
            new Engine.ValidationException([
                .. Enumerable
                    .Range(0, count)
                    .Select(i => new Engine.FieldViolation($"photos[{i}]", $"Photo {i} " + new string('y', 5000))),
            ])
        );

        Assert.InRange(Size(status.ToRpcException()), 1000, 8000);
        var fields = status.GetDetail<BadRequest>().FieldViolations;
        Assert.Equal(Math.Min(count, 31), fields.Count);
        Assert.Equal("photos[2]", fields[2].Field);
        Assert.StartsWith("Photo 2 y", fields[2].Description, StringComparison.Ordinal);
        Assert.Equal(
            count > 31 ? "And 970 more." : $"photos[{count - 1}]",
            count > 31 ? fields[^1].Description : fields[^1].Field
        );
    }

    /// <summary>
    /// What it takes in headers: the message with what is not ASCII in percents, the details in base64.
    /// </summary>
    private static int Size(RpcException error) =>
        Uri.EscapeDataString(error.Status.Detail).Length + (error.GetRpcStatus().ToByteArray().Length * 4 / 3);
}
