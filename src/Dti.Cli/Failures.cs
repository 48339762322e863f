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

    private const int GeneralIOError = unchecked((int)0x80131620); // COR_E_IO

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
                new CommandError("IO", WithPlace(exception))
            ),
            _ => (ExitCode.Failed, new CommandError("UNEXPECTED", exception.ToString())),
        };

    // An error of the system has its number as HResult. The runtime names the file of it in quotation marks; without one,
    // it is the standard output that failed. What libraries say themselves, such as of a port, stays as it is.
    private static string WithPlace(Exception exception) =>
        exception.HResult == GeneralIOError || exception.Message.Contains('\'')
            ? exception.Message
            : $"The standard output cannot be written: {exception.Message}. Free some space, or write to another place.";

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
