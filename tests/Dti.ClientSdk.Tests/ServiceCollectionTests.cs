using System.Collections.Concurrent;
using Dti.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dti.ClientSdk.Tests;

public class ServiceCollectionTests(ServerFixture server)
{
    [Fact]
    public async Task AddDtiClient_ConnectionCut_LogsToTheHost()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var proxy = new CuttingProxy(server.Address);
        using var log = new Notebook();
        await using var provider = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(log))
            .AddDtiClient(proxy.Address.ToString(), new DtiClientOptions { RetryDelay = TimeSpan.FromMilliseconds(5) })
            .BuildServiceProvider();
        var client = provider.GetRequiredService<DtiClient>();

        await foreach (var update in client.TrainAsync(await ServerFixture.RequestAsync("hosted"), null, cancellation))
        {
            if (update is TrainingAccepted)
                proxy.Cut();
        }

        Assert.Same(client, provider.GetRequiredService<DtiClient>());
        Assert.Contains(log.Lines, line => line.Category == typeof(DtiClient).FullName && line.Id == 1);
        // a lost connection is one sentence, without stack traces
        Assert.DoesNotContain(log.Lines, line => line.Level >= LogLevel.Information && line.Error is not null);
    }

    [Fact]
    public void AddDtiClient_NoAddress_FailsAtOnce() =>
        Assert.Throws<UriFormatException>(() => new ServiceCollection().AddDtiClient("ftp://dti"));

    private sealed class Notebook : ILoggerProvider
    {
        public ConcurrentQueue<(string Category, int Id, LogLevel Level, Exception? Error)> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => new Page(categoryName, Lines);

        public void Dispose() { }
    }

    private sealed class Page(
        string category,
        ConcurrentQueue<(string Category, int Id, LogLevel Level, Exception? Error)> lines
    ) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => lines.Enqueue((category, eventId.Id, logLevel, exception));
    }
}
