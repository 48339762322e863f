using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Dti.Tests;

/// <summary>Keeps what is logged as an error.</summary>
internal sealed class ErrorCollector : ILoggerProvider, ILogger
{
    private const string SiloShutsDown = "SiloUnavailableException"; // Orleans' words on each message that comes while it stops

    public ConcurrentQueue<string> Found { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel) && exception?.GetType().Name != SiloShutsDown)
        {
            Found.Enqueue($"{formatter(state, exception)} {exception}");
        }
    }

    public void Dispose()
    {
    }
}
