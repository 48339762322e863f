using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dti.Server.Jobs;

/// <summary>
/// The server's logs for the silo, without Orleans' own words from the moment on at which it is asked to stop: a single
/// silo has no other to hand its grains and messages to, and calls each of them an error.
/// </summary>
internal sealed class SiloLoggers(ILoggerFactory loggers, Func<bool> isStopping) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName)
    {
        if (isStopping())
        {
            return NullLogger.Instance; // the server's loggers may be gone before all of a silo is
        }

        var logger = loggers.CreateLogger(categoryName);
        return categoryName.StartsWith("Orleans", StringComparison.Ordinal)
            ? new SilencedWhileStopping(logger, isStopping)
            : logger;
    }

    public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

    public void Dispose()
    {
        // The server's.
    }

    private sealed class SilencedWhileStopping(ILogger logger, Func<bool> isStopping) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => !isStopping() && logger.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (!isStopping())
            {
                logger.Log(logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
