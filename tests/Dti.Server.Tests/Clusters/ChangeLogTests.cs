using Dti.Engine;
using Dti.Server.Jobs;
using Dti.Server.ObjectStorage;

namespace Dti.Server.Tests.Clusters;

/// <summary>Changes of the libraries where no grain numbers them.</summary>
public sealed class ChangeLogTests
{
    /// <summary>A training that ended while its host stopped was failed, instead of continued by another host.</summary>
    [Fact]
    public async Task Append_HostThatHasStopped_IsUnavailable()
    {
        var log = new ChangeLog(() => throw new ObjectDisposedException("IServiceProvider"));

        var error = await Assert.ThrowsAsync<DtiException>(() => log.AppendAsync("concepts", 0, []));

        Assert.True(StorageErrors.IsUnavailable(error));
    }
}
