using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dti.Cli.Hosting;
using Dti.ClientSdk;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Diagnosis;
using Dti.Server.Hosting;
using Grpc.Core;

namespace Dti.Cli.Commands;

/// <summary>
/// <c>dti doctor</c>: one screen that says whether a server can run here, and whether the one that was named answers.
/// </summary>
internal static class DoctorCommand
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    public static Command Create(CommonOptions common)
    {
        var config = new Option<string?>("--config")
        {
            Description = "The server's settings, as for dti serve.",
            HelpName = "file",
        };
        var ready = new Option<bool>("--ready")
        {
            Description = "Only ask the server whether it is ready: exit code 0 if so, for containers and monitors.",
        };
        var command = new Command(
            "doctor",
            "Looks at device, native library, folders, disk, ports, clock, models and the server, and says what to do about what is wrong."
        )
        {
            config,
            ready,
        };
        Examples.Add(
            command,
            "dti doctor",
            "dti doctor --config /etc/dti/appsettings.json",
            "DTI_SERVER=https://gpu:5171 dti doctor --ready",
            "dti doctor --json"
        );
        common.SetDiagnosing(command);
        common.SetAction(command, async context =>
        {
            if (context.Get(ready))
            {
                await ReadyAsync(context, ReadSettings(common, context, context.Get(config)).Options)
                    .ConfigureAwait(false);
                return;
            }

            var (findings, options) = ReadSettings(common, context, context.Get(config));
            foreach (var wrong in findings)
                context.Output.Finding(wrong);
            await foreach (var finding in Checkup.RunAsync(options, context.CancellationToken).ConfigureAwait(false))
            {
                findings.Add(finding);
                context.Output.Finding(finding);
            }

            var server = await ServerAsync(context, options).ConfigureAwait(false);
            findings.Add(server);
            context.Output.Finding(server);

            var broken = findings.Count(finding => finding.State == FindingState.Broken);
            context.Output.Event(
                "doctor",
                new { broken, doubtful = findings.Count(finding => finding.State == FindingState.Doubtful) }
            );
            if (broken > 0)
                throw new CliException(
                    ExitCode.Failed,
                    broken == 1 ? "One thing is broken." : $"{broken} things are broken."
                );
            context.Output.Line("Nothing is broken.");
        });
        return command;
    }

    private static async Task ReadyAsync(CommandContext context, DtiServerOptions options)
    {
        var (client, address) = Client(context, options);
        using (client)
        {
            try
            {
                if (!await client.IsReadyAsync(context.CancellationToken).ConfigureAwait(false))
                    throw new CliException(
                        ExitCode.Unreachable,
                        $"The server at {address} is not ready; its log says why."
                    );
            }
            catch (DtiClientException refused)
            {
                throw new CliException(
                    ExitCode.Unreachable,
                    $"The server at {address} is not ready: {refused.Message}"
                );
            }

            context.Output.Event("ready", new { address });
            context.Output.Line($"The server at {address} is ready.");
        }
    }

    private static (List<Finding> Findings, DtiServerOptions Options) ReadSettings(
        CommonOptions common,
        CommandContext context,
        string? file
    )
    {
        try
        {
            return (
                [],
                ServerConfiguration.Bind(
                    ServeConfiguration.Read(file, context.Folders.Data, common.ServerFlags.Given(context.Arguments))
                )
            );
        }
        catch (ValidationException wrong)
        {
            return (
                [
                    .. wrong.Violations.Select(violation => new Finding(
                        "setting",
                        FindingState.Broken,
                        violation.Description,
                        $"Correct {violation.Field}; what follows leaves the settings out."
                    )),
                ],
                LocalServer.Options(context.Folders) with
                {
                    Port = DtiServerOptions.DefaultPort,
                }
            );
        }
    }

    /// <summary>A client of the server that was named, or of one with these options on this machine.</summary>
    /// <exception cref="CliException">The name is no address, or a file for it cannot be used.</exception>
    private static (DtiClient Client, string Address) Client(CommandContext context, DtiServerOptions options)
    {
        var (address, end) = context.ServerAddress is { Length: > 0 } named ? (named, null) : AddressOf(options);
        try
        {
            return (
                new DtiClient(
                    address,
                    context.Credentials.Read(address) with
                    {
                        Timeout = _patience,
                        MaxRetries = 0,
                        ConnectTo = end,
                    }
                ),
                address
            );
        }
        catch (Exception wrong) when (wrong is UriFormatException or ArgumentException)
        {
            throw new CliException(ExitCode.Usage, wrong.Message);
        }
    }

    /// <summary>
    /// Where a server with these options is found from this machine: where it listens, and with TLS by the name that
    /// its certificate has, if that is one, though this machine may not know where that name leads.
    /// </summary>
    private static (string Address, IPEndPoint End) AddressOf(DtiServerOptions options)
    {
        var ip = IPAddress.TryParse(options.Address, out var told) ? told : IPAddress.Loopback;
        ip =
            ip.Equals(IPAddress.Any) ? IPAddress.Loopback
            : ip.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : ip;
        var host = ip.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{ip}]" : $"{ip}";
        var address = options.Security.TlsCertificate is { } certificate
            ? $"https://{NameIn(certificate) ?? host}:{options.Port}"
            : $"http://{host}:{options.Port}";
        return (address, new IPEndPoint(ip, options.Port));
    }

    private static string? NameIn(string certificateFile)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(certificateFile);
            return certificate
                .Extensions.OfType<X509SubjectAlternativeNameExtension>()
                .SelectMany(names => names.EnumerateDnsNames())
                .OrderBy(name => name.StartsWith('*'))
                .FirstOrDefault()
                ?.Replace("*", "dti", StringComparison.Ordinal);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return null; // another finding reports this
        }
    }

    private static async Task<Finding> ServerAsync(CommandContext context, DtiServerOptions options)
    {
        try
        {
            var (client, address) = Client(context, options);
            using (client)
                return await ServerAsync(context, client, address).ConfigureAwait(false);
        }
        catch (CliException wrong)
        {
            return new(
                "server",
                FindingState.Broken,
                wrong.Message,
                "Correct --server, DTI_SERVER, the token or the certificate."
            );
        }
    }

    private static async Task<Finding> ServerAsync(CommandContext context, DtiClient client, string address)
    {
        var asked = context.ServerAddress is { Length: > 0 };
        try
        {
            if (!await client.IsReadyAsync(context.CancellationToken).ConfigureAwait(false))
                return new(
                    "server",
                    FindingState.Broken,
                    $"{address} answers, and says that it is not ready",
                    "Its log says why: its device does not compute, or it is stopping."
                );
            var server = await client.GetServerAsync(context.CancellationToken).ConfigureAwait(false);
            return new(
                "server",
                FindingState.Good,
                $"{address} is ready: Dti {server.Version}, {server.Device}, {server.Dtype}, libtorch {server.TorchVersion}"
            );
        }
        catch (DtiClientException refused) when (refused.Status == StatusCode.Unauthenticated)
        {
            return context.Credentials.HasToken
                ? new(
                    "server",
                    asked ? FindingState.Broken : FindingState.Doubtful,
                    $"{address} is ready, and does not know the token that it was given",
                    "Correct --token-file, DTI_TOKEN_FILE or DTI_TOKEN."
                )
                : new(
                    "server",
                    FindingState.Good,
                    $"{address} is ready, and wants a token",
                    "To see more, give one: --token-file, DTI_TOKEN_FILE or DTI_TOKEN."
                );
        }
        catch (DtiClientException refused) when (refused.Status == StatusCode.PermissionDenied)
        {
            return new("server", FindingState.Good, $"{address} is ready, and says: {refused.Message}");
        }
        catch (DtiClientException lost) when (!asked)
        {
            return IsUnreachable(lost)
                ? new("server", FindingState.Good, $"none runs at {address}")
                : new(
                    "server",
                    FindingState.Doubtful,
                    $"{address}: {lost.Message}",
                    "Well if that is no Dti; else give what a client of it needs: DTI_CA, DTI_CLIENT_CERT and DTI_CLIENT_KEY."
                );
        }
        catch (DtiClientException lost)
        {
            return new(
                "server",
                FindingState.Broken,
                $"{address}: {lost.Message}",
                $"Start it ({ProgramName.Text} serve), or correct --server, DTI_SERVER, the token or the certificate."
            );
        }
    }

    private static bool IsUnreachable(DtiClientException lost)
    {
        for (
            var cause = (lost.InnerException as RpcException)?.Status.DebugException;
            cause is not null;
            cause = cause.InnerException
        )
        {
            if (cause is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
                return true;
        }

        return false;
    }
}
