using System.Text.Json;
using Dti.Cli.Output;
using Dti.ClientSdk;
using Dti.Engine;
using Grpc.Core;

namespace Dti.Cli;

/// <summary>Decides, in one place, what is said of an error and what the process answers.</summary>
internal static class Failures
{
    // Reasons for which a command can be repeated with --force.
    private static readonly string[] _overwritable = ["CONCEPT_EXISTS", "FILE_EXISTS"];

    public static int Report(Exception exception, IOutput output, string? address)
    {
        var (exitCode, error) = Describe(exception, address);
        output.Error(error);
        return exitCode;
    }

    private static (int ExitCode, CommandError Error) Describe(Exception exception, string? address) =>
        exception switch
        {
            OperationCanceledException => (ExitCode.Cancelled, new CommandError("CANCELLED", "Cancelled.")),
            DtiClientException refused => (Code(refused.Status), Describe(refused, address)),
            DtiException refused => (
                Code(refused.Kind),
                new CommandError(JsonNamingPolicy.SnakeCaseUpper.ConvertName($"{refused.Kind}"), refused.Message)
            ),
            CliException wrong => (wrong.ExitCode, new CommandError(Name(wrong.ExitCode), wrong.Message)),
            IOException or UnauthorizedAccessException => (
                ExitCode.Failed,
                new CommandError("IO", WithPlace(exception.Message))
            ),
            _ => (ExitCode.Failed, new CommandError("UNEXPECTED", exception.ToString())),
        };

    // The runtime names a file in quotation marks; without one, it is the standard output that failed.
    private static string WithPlace(string message) =>
        message.Contains('\'')
            ? message
            : $"The standard output cannot be written: {message}. Free some space, or write to another place.";

    private static CommandError Describe(DtiClientException refused, string? address) =>
        new(
            refused.Reason is { Length: > 0 } reason
                ? reason
                : JsonNamingPolicy.SnakeCaseUpper.ConvertName($"{refused.Status}"),
            refused.Status == StatusCode.Unavailable && address is { Length: > 0 }
                    ? $"{refused.Message} Its address: {address}."
                // what overwriting is called here
                : _overwritable.Contains(refused.Reason) ? $"{refused.Message.TrimEnd('.')} (--force)."
                : refused.Message
        )
        {
            Violations = refused.FieldViolations,
            RetryAfter = refused.RetryAfter,
        };

    private static int Code(StatusCode status) =>
        status switch
        {
            StatusCode.InvalidArgument or StatusCode.OutOfRange => ExitCode.Usage,
            StatusCode.NotFound => ExitCode.NotFound,
            StatusCode.Unavailable => ExitCode.Unreachable,
            StatusCode.Cancelled => ExitCode.Cancelled,
            _ => ExitCode.Failed,
        };

    private static int Code(ErrorKind kind) =>
        kind switch
        {
            ErrorKind.InvalidArgument => ExitCode.Usage,
            ErrorKind.NotFound => ExitCode.NotFound,
            _ => ExitCode.Failed,
        };

    private static string Name(int exitCode) =>
        exitCode switch
        {
            ExitCode.Usage => "USAGE",
            ExitCode.NotFound => "NOT_FOUND",
            ExitCode.Unreachable => "UNREACHABLE",
            _ => "FAILED",
        };
}
