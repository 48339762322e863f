using Microsoft.Extensions.Logging;

namespace Dti.ClientSdk.Internal;

/// <summary>
/// The host's loggers for gRPC's own messages, at most at Debug: a lost connection is one line of <see
/// cref="ClientLog"/> for the host, not a stack trace for each attempt to connect again.
/// </summary>
internal sealed class ChannelLoggers(ILoggerFactory host) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new ChannelLogger(host.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => host.AddProvider(provider);

    public void Dispose() { } // the host's

    private sealed class ChannelLogger(ILogger host) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => host.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => host.IsEnabled(Lowered(logLevel));

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var lowered = Lowered(logLevel);
            if (host.IsEnabled(lowered))
                host.Log(lowered, eventId, state, exception, formatter);
        }

        private static LogLevel Lowered(LogLevel level) =>
            level is > LogLevel.Debug and < LogLevel.None ? LogLevel.Debug : level;
    }
}
