using Dti.Engine;
using Dti.Server.Errors;
using Google.Rpc;
using Grpc.Core;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Tests;

public sealed class StatusMapperTests
{
    [Theory]
    [InlineData(ErrorKind.NotFound, Code.NotFound, "NOT_FOUND")]
    [InlineData(ErrorKind.FailedPrecondition, Code.FailedPrecondition, "FAILED_PRECONDITION")]
    [InlineData(ErrorKind.ResourceExhausted, Code.ResourceExhausted, "RESOURCE_EXHAUSTED")]
    public void StatusOf_ErrorWithoutAReason_HasTheReasonOfItsKind(ErrorKind kind, Code code, string reason)
    {
        var status = StatusMapper.StatusOf(new DtiException(kind, "Said."));

        Assert.Equal(((int)code, "Said."), (status.Code, status.Message));
        Assert.Equal(reason, status.GetDetail<ErrorInfo>()!.Reason);
    }

    [Fact]
    public void StatusOf_EveryKind_HasTheCodeOfItsName() =>
        Assert.All(Enum.GetValues<ErrorKind>(), kind =>
            Assert.Equal($"{kind}", $"{(Code)StatusMapper.StatusOf(new DtiException(kind, "Said.")).Code}")
        );

    [Fact]
    public void StatusOf_ReasonDetailsAndDelay_AreDetailsOfTheStatus()
    {
        var status = StatusMapper.StatusOf(
            new DtiException(ErrorKind.ResourceExhausted, "Said.")
            {
                Reason = "QUEUE_FULL",
                Details = new Dictionary<string, string> { ["jobs"] = "3" },
                RetryAfter = TimeSpan.FromSeconds(30),
            }
        );

        var info = status.GetDetail<ErrorInfo>()!;
        Assert.Equal(("dti", "QUEUE_FULL", "3"), (info.Domain, info.Reason, info.Metadata["jobs"]));
        Assert.Equal(TimeSpan.FromSeconds(30), status.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan());
    }

    [Fact]
    public void StatusOf_WrongField_NamesIt()
    {
        var status = StatusMapper.StatusOf(
            new DtiException(ErrorKind.InvalidArgument, "It is too large.", "options.steps")
        );

        var violation = Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations);
        Assert.Equal(("options.steps", "It is too large."), (violation.Field, violation.Description));
    }

    [Fact]
    public void StatusOf_StoredStatus_IsThatStatusWithAllDetails()
    {
        var stored = StatusMapper.StatusOf(Refusals.JobQuarantined("a", 7));

        Assert.Equal(stored, StatusMapper.StatusOf(new StatusException(stored)));
    }

    [Fact]
    public void StatusOf_UnforeseenError_SaysNothingOfItsCause()
    {
        var error = new InvalidOperationException("/srv/secret");

        Assert.False(StatusMapper.IsForeseen(error));
        Assert.Equal((int)Code.Internal, StatusMapper.StatusOf(error).Code);
        Assert.DoesNotContain("secret", $"{StatusMapper.StatusOf(error)}", StringComparison.Ordinal);
    }

    [Fact]
    public void StatusOf_ErrorOfGrpcItself_KeepsItsCodeAndMessage() =>
        Assert.Equal(
            new RpcStatus { Code = (int)Code.NotFound, Message = "unknown service" },
            StatusMapper.StatusOf(new RpcException(new(StatusCode.NotFound, "unknown service")))
        );
}
