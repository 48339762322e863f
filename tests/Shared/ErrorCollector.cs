using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dti.Tests;

/// <summary>Keeps what is logged as an error.</summary>
internal sealed class ErrorCollector : ILoggerProvider
{
    public ConcurrentQueue<string> Found { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Category(Found);

    public void Dispose() { }

    private sealed class Category(ConcurrentQueue<string> found) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (IsEnabled(logLevel))
            {
                found.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }
    }
}
