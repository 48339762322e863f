using System.CommandLine;
using System.Globalization;
using Dti.Cli.Hosting;
using Dti.Server.Configuration;
using Dti.Server.Diagnosis;
using Dti.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace Dti.Cli.Commands;

/// <summary><c>dti serve</c>.</summary>
internal static class ServeCommand
{
    public static Command Create(CommonOptions common)
    {
        var config = new Option<string?>("--config")
        {
            Description =
                "JSON file with the server's settings in a section Dti (docs/operations.md). The environment (DTI_…) takes precedence over it, options over both. "
                + $"Default: {ServeConfiguration.FileName} in the data folder, if it is there.",
            HelpName = "file",
        };
        var flags = new FlagSet();
        flags.Add(
            nameof(DtiServerOptions.Address),
            new Option<string?>("--address")
            {
                Description =
                    "Address to listen on: 0.0.0.0 for every network that this machine is in, which needs TLS and a token (dti tokens, docs/security.md). Default: 127.0.0.1, for this machine alone.",
                HelpName = "ip",
            }
        );
        flags.Add(
            nameof(DtiServerOptions.Port),
            new Option<int?>("--port")
            {
                Description = $"Port; 0: a free one, which is shown. Default: {DtiServerOptions.DefaultPort}.",
                HelpName = "n",
            }
        );
        AddFile(
            nameof(SecurityOptions.TlsCertificate),
            "--tls-cert",
            "PEM file of the server's certificate and those that vouch for it (fullchain.pem); it is read again when it changes."
        );
        AddFile(
            nameof(SecurityOptions.TlsKey),
            "--tls-key",
            "PEM file of the certificate's private key (privkey.pem)."
        );
        AddFile(
            nameof(SecurityOptions.ClientCa),
            "--client-ca",
            "PEM file of the authorities whose certificates callers must show."
        );
        flags.Add(
            nameof(DtiServerOptions.ModelMemoryBytes),
            new Option<double?>("--model-memory")
            {
                Description =
                    "GiB of memory that models may take together; the least recently used make room. Default: four fifths of what the device has.",
                HelpName = "GiB",
            },
            gib =>
                ((long)(double.Parse(gib, CultureInfo.InvariantCulture) * (1L << 30))).ToString(
                    CultureInfo.InvariantCulture
                )
        );
        flags.Add(
            nameof(DtiServerOptions.WebPort),
            new Option<int?>("--web-port")
            {
                Description =
                    "Port for browsers and other callers by HTTP/1.1: Dti Studio, JSON and gRPC-Web; 0: a free one. Default: the one after --port; with TLS none, as browsers use --port then.",
                HelpName = "n",
            }
        );
        flags.Add(
            nameof(DtiServerOptions.Studio),
            new Option<bool?>("--studio")
            {
                Description =
                    "Whether browsers get the page Dti Studio; without it, no port is open for them unless --web-port names one. Default: true.",
                HelpName = "true|false",
            }
        );
        flags.Add(
            nameof(DtiServerOptions.WebOrigins),
            new Option<string[]>("--web-origin")
            {
                Description =
                    "A page that may call from a browser, like http://localhost:3000; may be given more than once.",
                HelpName = "origin",
            }
        );
        flags.Add(
            nameof(DtiServerOptions.MetricsPort),
            new Option<int?>("--metrics-port")
            {
                Description = "Port of this machine for Prometheus, at /metrics; 0: a free one. Default: none.",
                HelpName = "n",
            }
        );
        flags.Add(
            nameof(DtiServerOptions.LogFormat),
            new Option<string?>("--log-format")
            {
                Description = "What the log on stderr is written as; json is one object a line. Default: text.",
                HelpName = "text|json",
            }
        );

        ClusterFlags.AddRole(flags);
        ClusterFlags.AddConnection(flags);

        var command = new Command("serve", "Run a server until Ctrl+C.") { config };
        foreach (var flag in flags.Options)
            command.Add(flag);
        Examples.Add(
            command,
            "dti serve",
            "dti serve --port 0 --data ./library --models ~/models/sd15",
            "dti serve --models ~/ComfyUI --model-memory 12",
            "dti serve --web-port 5172 --web-origin http://localhost:3000",
            "dti serve --address 0.0.0.0 --tls-cert fullchain.pem --tls-key privkey.pem",
            "dti serve --config /etc/dti/appsettings.json --metrics-port 5173 --log-format json",
            "dti serve --role worker --cluster \"Host=db;Database=dti;Username=dti\" --data /srv/dti",
            $"DTI_SERVER=http://localhost:{DtiServerOptions.DefaultPort} dti concepts list"
        );

        common.SetLocalAction(command, context =>
            RunAsync(
                context,
                ServeConfiguration.Read(
                    context.Get(config),
                    context.Folders.Data,
                    [.. common.ServerFlags.Given(context.Arguments), .. flags.Given(context.Arguments)]
                )
            )
        );
        return command;

        void AddFile(string key, string name, string description) =>
            flags.Add(
                $"{nameof(DtiServerOptions.Security)}:{key}",
                new Option<string?>(name) { Description = description, HelpName = "file" },
                Path.GetFullPath
            );
    }

    /// <summary>Runs a server until the command is cancelled.</summary>
    /// <param name="context">The command.</param>
    /// <param name="told">The server's settings.</param>
    /// <param name="studio">Told the address of the page Dti Studio, if there is one.</param>
    public static async Task RunAsync(CommandContext context, IConfiguration told, Action<string>? studio = null)
    {
        var options = WithWebPort(ServerConfiguration.Bind(told));
        foreach (var folder in options.ModelFolders)
            DataFolders.Existing(folder, "ModelFolders");
        var server = await LocalServer
            .StartServiceAsync(options, told, context.CancellationToken)
            .ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            context.Output.Event(
                "listening",
                new
                {
                    address = server.Address,
                    webAddress = server.WebAddress,
                    studioAddress = server.StudioAddress,
                    metricsAddress = server.MetricsAddress,
                    concepts = options.ConceptFolder,
                }
            );
            if (server.StudioAddress is { } page)
                context.Output.Line($"Dti Studio, the page to work in, is at {page}");
            if (server.WebAddress is { } web)
                context.Output.Line($"JSON and gRPC-Web are at {web}, described at {web}/openapi/v1.json.");
            if (server.MetricsAddress is { } metrics)
                context.Output.Line($"Prometheus finds it at {metrics}/metrics.");
            context.Output.Line(
                $"Dti listens on {server.Address}; concepts are in {options.ConceptFolder}. Ctrl+C stops it."
            );
            if (server.StudioAddress is { } opened)
                studio?.Invoke(opened);
            await server.UntilStoppedAsync(context.CancellationToken).ConfigureAwait(false);
        }
    }

    // With TLS, browsers use the port of gRPC. Without, the page has the next port, or a free one if that is taken: a
    // port that nobody asked for must not keep a server from starting.
    private static DtiServerOptions WithWebPort(DtiServerOptions options) =>
        options.Cluster.Role == "worker" // which has no page
        || !options.Studio
        || options.WebPort is not null
        || options.Security.TlsCertificate is not null
            ? options
            : options with
            {
                WebPort =
                    options.Port is 0 or 65535
                    || options.Port + 1 == options.MetricsPort
                    || !Checkup.IsFree(options.Address, options.Port + 1)
                        ? 0
                        : options.Port + 1,
            };
}
