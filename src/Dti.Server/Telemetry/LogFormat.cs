using Dti.Server.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Dti.Server.Telemetry;

/// <summary>How the console's log is written.</summary>
internal static class LogFormat
{
    /// <param name="logging">The server's logging.</param>
    /// <param name="format"><see cref="DtiServerOptions.LogFormat"/>.</param>
    public static void UseFormat(this ILoggingBuilder logging, string format)
    {
        logging.Services.Configure<SimpleConsoleFormatterOptions>(text =>
            (text.UseUtcTimestamp, text.TimestampFormat) = (true, "yyyy-MM-dd HH:mm:ssZ ")
        ); // the journal has its own
        if (format == "json")
        {
            logging.AddJsonConsole(json =>
                (json.IncludeScopes, json.UseUtcTimestamp, json.TimestampFormat) = (
                    true,
                    true,
                    "yyyy-MM-ddTHH:mm:ss.fffZ"
                )
            );
            logging.Services.PostConfigure<ConsoleLoggerOptions>(console =>
                console.FormatterName = ConsoleFormatterNames.Json
            ); // also where systemd would choose
        }
    }
}
