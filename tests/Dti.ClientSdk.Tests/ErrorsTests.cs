using Dti.ClientSdk.Internal;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Dti.ClientSdk.Tests;

public class ErrorsTests
{
    [Fact]
    public void Translate_BadRequest_NamesEveryField()
    {
        var status = new Google.Rpc.Status
        {
            Code = (int)Code.InvalidArgument,
            Message = "Two fields are wrong.",
            Details =
            {
                Any.Pack(
                    new BadRequest
                    {
                        FieldViolations =
                        {
                            new BadRequest.Types.FieldViolation
                            {
                                Field = "options.steps",
                                Description = "1 to 100000.",
                            },
                            new BadRequest.Types.FieldViolation { Field = "photos", Description = "At least one." },
                        },
                    }
                ),
            },
        };

        var error = Assert.IsType<DtiClientException>(
            Errors.Translate(status.ToRpcException(), CancellationToken.None)
        );

        Assert.Equal(StatusCode.InvalidArgument, error.Status);
        Assert.Equal("Two fields are wrong.", error.Message);
        Assert.Equal(
            [new("options.steps", "1 to 100000."), new FieldViolation("photos", "At least one.")],
            error.FieldViolations
        );
    }

    [Fact]
    public void Translate_ErrorAndRetryInfo_GivesReasonAndDelay()
    {
        var status = new Google.Rpc.Status
        {
            Code = (int)Code.ResourceExhausted,
            Message = "The queue is full.",
            Details =
            {
                Any.Pack(new ErrorInfo { Domain = "dti", Reason = "QUEUE_FULL" }),
                Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(7)) }),
            },
        };

        var error = Assert.IsType<DtiClientException>(
            Errors.Translate(status.ToRpcException(), CancellationToken.None)
        );

        Assert.Equal("QUEUE_FULL", error.Reason);
        Assert.Equal(TimeSpan.FromSeconds(7), error.RetryAfter);
    }

    /// <summary>gRPC's own words name no remedy.</summary>
    [Theory]
    [InlineData(
        StatusCode.ResourceExhausted,
        "Received message exceeds the maximum configured message size.",
        "DtiClientOptions.MaxReceiveMessageSize"
    )]
    [InlineData(StatusCode.Unimplemented, "Method is unimplemented.", "not a Dti server, or an older one")]
    [InlineData(StatusCode.Cancelled, "Bad gRPC response. Invalid content-type value: text/html", "not a Dti server")]
    [InlineData(StatusCode.Internal, "Failed to deserialize response message.", "Update the older one")]
    public void Translate_WordsOfGrpcItself_AreReplacedByTheRemedy(StatusCode code, string words, string remedy)
    {
        var error = Errors.Translate(new RpcException(new Grpc.Core.Status(code, words)), CancellationToken.None);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Translate_ConnectionLostAtTheDeadline_IsTheDeadline()
    {
        var lost = new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, ""));
        StatusCode At(DateTime? deadline) =>
            Assert.IsType<DtiClientException>(Errors.Translate(lost, CancellationToken.None, deadline)).Status;

        Assert.Equal(StatusCode.DeadlineExceeded, At(DateTime.UtcNow));
        Assert.Equal(StatusCode.Unavailable, At(DateTime.UtcNow.AddMinutes(1)));
        Assert.Equal(StatusCode.Unavailable, At(null));
    }

    [Fact]
    public void Translate_NoDetails_KeepsStatusAndSentence()
    {
        var exception = new RpcException(new Grpc.Core.Status(StatusCode.NotFound, "There is no such job."));

        var error = Assert.IsType<DtiClientException>(Errors.Translate(exception, CancellationToken.None));

        Assert.Equal((StatusCode.NotFound, "There is no such job.", ""), (error.Status, error.Message, error.Reason));
        Assert.Empty(error.FieldViolations);
        Assert.Null(error.RetryAfter);
    }

    [Fact]
    public void Translate_LostConnection_SaysSoWithoutInternals()
    {
        var exception = new RpcException(
            new Grpc.Core.Status(StatusCode.Unavailable, "HttpRequestException: …", new IOException("reset"))
        );

        var error = Assert.IsType<DtiClientException>(Errors.Translate(exception, CancellationToken.None));

        Assert.DoesNotContain("Exception", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Translate_AfterCancellation_IsCancellation()
    {
        var cancelled = new CancellationToken(canceled: true);

        var exception = Errors.Translate(new RpcException(new Grpc.Core.Status(StatusCode.Cancelled, "")), cancelled);

        Assert.Equal(cancelled, Assert.IsType<OperationCanceledException>(exception).CancellationToken);
    }
}
