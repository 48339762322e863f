using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dti.Cli.Hosting;
using Dti.ClientSdk;
using Dti.Engine;
using Dti.Server;
using Dti.Server.Diagnosis;
using Grpc.Core;

namespace Dti.Cli.Commands;

/// <summary><c>dti doctor</c>: one screen that says whether a server can run here, and whether the one that was named answers.</summary>
internal static class DoctorCommand
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    public static Command Create(CommonOptions common)
    {
        var config = new Option<string?>("--config") { Description = "The server's settings, as for dti serve.", HelpName = "file" };
        var ready = new Option<bool>("--ready") { Description = "Only ask the server whether it is ready: exit code 0 if so, for containers and monitors." };
        var command = new Command("doctor", "Looks at device, native library, folders, disk, ports, clock, models and the server, and says what to do about what is wrong.") { config, ready };
        Examples.Add(command, "dti doctor", "dti doctor --config /etc/dti/appsettings.json", "DTI_SERVER=https://gpu:5171 dti doctor --ready", "dti doctor --json");
        common.SetAction(command, async context =>
        {
            if (context.Get(ready))
            {
                await ReadyAsync(context, ReadSettings(common, context, context.Get(config)).Options).ConfigureAwait(false);
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
            context.Output.Event("doctor", new { broken, doubtful = findings.Count(finding => finding.State == FindingState.Doubtful) });
            if (broken > 0)
                throw new CliException(ExitCode.Failed, broken == 1 ? "One thing is broken." : $"{broken} things are broken.");
            context.Output.Line("Nothing is broken.");
        });
        return command;
    }

    private static async Task ReadyAsync(CommandContext context, DtiServerOptions options)
    {
        var address = context.ServerAddress is { Length: > 0 } named ? named : AddressOf(options);
        using var client = new DtiClient(address, context.Credentials.Read(address) with { Timeout = _patience, MaxRetries = 0 });
        if (!await client.IsReadyAsync(context.CancellationToken).ConfigureAwait(false))
            throw new CliException(ExitCode.Unreachable, $"The server at {address} is not ready; its log says why.");
        context.Output.Event("ready", new { address });
        context.Output.Line($"The server at {address} is ready.");
    }

    private static (List<Finding> Findings, DtiServerOptions Options) ReadSettings(CommonOptions common, CommandContext context, string? file)
    {
        try
        {
            return ([], ServerConfiguration.Bind(ServeConfiguration.Read(file, context.Folders.Data, common.ServerFlags.Given(context.Arguments))));
        }
        catch (ValidationException wrong)
        {
            return (
                [.. wrong.Violations.Select(violation => new Finding("setting", FindingState.Broken, violation.Description, $"Correct {violation.Field}; what follows leaves the settings out."))],
                LocalServer.Options(context.Folders) with { Port = DtiServerOptions.DefaultPort });
        }
    }

    /// <summary>Where a server with these options is found from this machine: with TLS by the name that its certificate has, if that is one.</summary>
    private static string AddressOf(DtiServerOptions options)
    {
        var address = IPAddress.TryParse(options.Address, out var ip) ? ip : IPAddress.Loopback;
        address = address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;
        var host = address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : $"{address}";
        return options.Security.TlsCertificate is { } certificate ? $"https://{NameIn(certificate) ?? host}:{options.Port}" : $"http://{host}:{options.Port}";
    }

    private static string? NameIn(string certificateFile)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(certificateFile);
            return certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames()).FirstOrDefault(name => !name.StartsWith('*'));
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return null; // another finding says so
        }
    }

    private static async Task<Finding> ServerAsync(CommandContext context, DtiServerOptions options)
    {
        var asked = context.ServerAddress is { Length: > 0 };
        var address = asked ? context.ServerAddress! : AddressOf(options);
        try
        {
            using var client = new DtiClient(address, context.Credentials.Read(address) with { Timeout = _patience, MaxRetries = 0 });
            if (!await client.IsReadyAsync(context.CancellationToken).ConfigureAwait(false))
                return new("server", FindingState.Broken, $"{address} answers, and says that it is not ready", "Its log says why: its device does not compute, or it is stopping.");
            var server = await client.GetServerAsync(context.CancellationToken).ConfigureAwait(false);
            return new("server", FindingState.Good, $"{address} is ready: Dti {server.Version}, {server.Device}, {server.Dtype}, libtorch {server.TorchVersion}");
        }
        catch (DtiClientException refused) when (refused.Status is StatusCode.Unauthenticated or StatusCode.PermissionDenied)
        {
            return new("server", asked ? FindingState.Broken : FindingState.Good, $"{address} is ready, and says: {refused.Message}", "Give a token: --token-file, DTI_TOKEN_FILE or DTI_TOKEN.");
        }
        catch (DtiClientException lost) when (!asked)
        {
            return new("server", FindingState.Good, lost.Status == StatusCode.Unavailable ? $"none runs at {address}" : $"{address} answers no Dti: {lost.Message}");
        }
        catch (Exception lost) when (lost is DtiClientException or UriFormatException or ArgumentException)
        {
            return new("server", FindingState.Broken, $"{address}: {lost.Message}", "Start it (dti serve), or correct --server, DTI_SERVER, the token or the certificate.");
        }
    }
}
