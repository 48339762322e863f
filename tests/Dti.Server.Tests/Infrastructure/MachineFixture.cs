using Xunit.Sdk;
using Xunit.v3;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>
/// A class fixture that needs software of the machine. Where that is missing, a test is skipped when it asks for what
/// the fixture would have started: for xunit, a skip in the fixture itself is a failure of all its tests.
/// </summary>
public abstract class MachineFixture : IAsyncLifetime
{
    private string? _missing;

    public async ValueTask InitializeAsync()
    {
        try
        {
            await StartAsync();
        }
        catch (SkipException skip)
        {
            _missing = skip.Message.Replace(DynamicSkipToken.Value, "", StringComparison.Ordinal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts it; skips where software is missing.</summary>
    protected abstract Task StartAsync();

    /// <summary>Stops what was started.</summary>
    protected abstract Task StopAsync();

    /// <summary>What was started; skips the test where nothing was.</summary>
    private protected T Started<T>(T? value)
        where T : class
    {
        Assert.SkipWhen(_missing is not null, _missing ?? "");
        return value!;
    }
}
