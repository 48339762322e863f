using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dti.Tests;

/// <summary>Keeps what is logged as an error.</summary>
internal sealed class ErrorCollector : ILoggerProvider
{
    public ConcurrentQueue<string> Found { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Category(categoryName.StartsWith("Orleans", StringComparison.Ordinal), Found);

    public void Dispose()
    {
    }

    private sealed class Category(bool isOrleans, ConcurrentQueue<string> found) : ILogger
    {
        private const string SiloShutsDown = "SiloUnavailableException"; // Orleans' words on each message that comes while it stops

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && !(isOrleans && exception?.GetType().Name == SiloShutsDown))
            {
                found.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }
    }
}
