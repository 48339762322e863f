using Dti.Engine;
using Dti.Server.Services;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Dti.Server.Tests;

public class CallFailureTests
{
    // Orleans 10.4 cancels a call whose time is over before its grain has a new host. That was INTERNAL.
    [Fact]
    public void CauseOf_CallThatOrleansCancels_IsAChangingCluster()
    {
        var cause = ErrorInterceptor.CauseOf(
            new OperationCanceledException("Message expired before placement could complete."),
            isCallCancelled: false,
            isStopping: false,
            isOfCluster: true
        );

        var refusal = Assert.IsType<DtiException>(cause);
        Assert.Equal((ErrorKind.Unavailable, "CLUSTER_CHANGING"), (refusal.Kind, refusal.Reason));
    }

    [Fact]
    public void CauseOf_CallerThatDisconnected_IsNoChangingCluster()
    {
        var cause = ErrorInterceptor.CauseOf(
            new OperationCanceledException(),
            isCallCancelled: true,
            isStopping: false,
            isOfCluster: true
        );

        Assert.Equal(ErrorKind.Cancelled, Assert.IsType<DtiException>(cause).Kind);
    }

    // Kestrel refuses a write to a connection that has just been closed, and cancels the call a moment later.
    [Fact]
    public void CauseOf_WriteToAClosedConnection_IsACallerThatDisconnected()
    {
        var error = new InvalidOperationException("Writing is not allowed after writer was completed.")
        {
            Source = typeof(KestrelServer).Assembly.GetName().Name,
        };

        var cause = ErrorInterceptor.CauseOf(error, isCallCancelled: false, isStopping: false, isOfCluster: false);

        Assert.Equal(ErrorKind.Cancelled, Assert.IsType<DtiException>(cause).Kind);
    }

    [Fact]
    public void CauseOf_CancelledCallOfASingleServer_IsUnforeseen()
    {
        var error = new OperationCanceledException();

        Assert.Same(
            error,
            ErrorInterceptor.CauseOf(error, isCallCancelled: false, isStopping: false, isOfCluster: false)
        );
    }
}
