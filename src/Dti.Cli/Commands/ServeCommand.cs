using System.CommandLine;
using Dti.Cli.Hosting;
using Dti.Server;

namespace Dti.Cli.Commands;

/// <summary><c>dti serve</c>.</summary>
internal static class ServeCommand
{
    public static Command Create(CommonOptions common)
    {
        var port = new Option<int>("--port")
        {
            Description = "Port on the loopback address; 0: a free one, which is shown.",
            HelpName = "n",
            DefaultValueFactory = _ => DtiServerOptions.DefaultPort,
        };
        var modelMemory = new Option<double?>("--model-memory")
        {
            Description = "GiB of memory that models may take together; the least recently used make room. Default: four fifths of what the device has.",
            HelpName = "GiB",
        };
        var webPort = new Option<int?>("--web-port")
        {
            Description = "Port for browsers and other callers by HTTP/1.1: JSON and gRPC-Web; 0: a free one. Default: none.",
            HelpName = "n",
        };
        var webOrigins = new Option<string[]>("--web-origin")
        {
            Description = "A page that may call from a browser, like http://localhost:3000; may be given more than once.",
            HelpName = "origin",
        };
        var command = new Command("serve", "Run a server until Ctrl+C.") { port, modelMemory, webPort, webOrigins };
        Examples.Add(
            command,
            "dti serve",
            "dti serve --port 0 --data ./library --models ~/models/sd15",
            "dti serve --models ~/ComfyUI --model-memory 12",
            "dti serve --web-port 5172 --web-origin http://localhost:3000",
            $"DTI_SERVER=http://localhost:{DtiServerOptions.DefaultPort} dti concepts list");

        common.SetAction(command, async context =>
        {
            if (context.Get(port) is < 0 or > 65535)
                throw new CliException(ExitCode.Usage, "--port is 0 to 65535.");
            if (context.Get(modelMemory) is <= 0)
                throw new CliException(ExitCode.Usage, "--model-memory is above 0.");
            if (context.Get(webPort) is < 0 or > 65535)
                throw new CliException(ExitCode.Usage, "--web-port is 0 to 65535.");
            var options = LocalServer.Options(context.Folders) with
            {
                Port = context.Get(port),
                ModelMemoryBytes = (long?)(context.Get(modelMemory) * (1L << 30)),
                WebPort = context.Get(webPort),
                WebOrigins = context.Get(webOrigins) ?? [],
            };
            var server = await LocalServer.StartAsync(options, context.CancellationToken).ConfigureAwait(false);
            await using (server.ConfigureAwait(false))
            {
                context.Output.Event("listening", new { address = server.Address, webAddress = server.WebAddress, data = context.Folders.Data });
                if (server.WebAddress is { } web)
                    context.Output.Line($"Browsers and curl find it at {web}, described at {web}/openapi/v1.json.");
                context.Output.Line($"Dti listens on {server.Address}; concepts are in {context.Folders.Data}. Ctrl+C stops it.");
                await Task.Delay(Timeout.Infinite, context.CancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // Ctrl+C is how it is meant to end.
            }
        });
        return command;
    }
}
