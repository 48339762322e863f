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
        var command = new Command("serve", "Run a server until Ctrl+C.") { port, modelMemory };
        Examples.Add(
            command,
            "dti serve",
            "dti serve --port 0 --data ./library --models ~/models/sd15",
            "dti serve --models ~/ComfyUI --model-memory 12",
            $"DTI_SERVER=http://localhost:{DtiServerOptions.DefaultPort} dti concepts list");

        common.SetAction(command, async context =>
        {
            if (context.Get(port) is < 0 or > 65535)
                throw new CliException(ExitCode.Usage, "--port is 0 to 65535.");
            var bytes = (long?)(context.Get(modelMemory) * (1L << 30));
            if (bytes is <= 0)
                throw new CliException(ExitCode.Usage, "--model-memory is above 0.");
            var server = await LocalServer.StartAsync(context.Folders, context.Get(port), bytes, context.CancellationToken).ConfigureAwait(false);
            await using (server.ConfigureAwait(false))
            {
                context.Output.Event("listening", new { address = server.Address, data = context.Folders.Data });
                context.Output.Line($"Dti listens on {server.Address}; concepts are in {context.Folders.Data}. Ctrl+C stops it.");
                await Task.Delay(Timeout.Infinite, context.CancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // Ctrl+C is how it is meant to end.
            }
        });
        return command;
    }
}
