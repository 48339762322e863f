using System.CommandLine;
using Dti.Cli.Hosting;
using Dti.Cli.Output;
using Dti.Server.Configuration;

namespace Dti.Cli.Commands;

/// <summary>The options that every command has.</summary>
internal sealed class CommonOptions
{
    private readonly Option<string?> _server = new("--server")
    {
        Description =
            "Address of a running server: http://localhost:5171, or https://host:5171 on another machine. Without it, and without DTI_SERVER, the command starts its own for as long as it runs.",
        HelpName = "address",
        Recursive = true,
    };

    private readonly Option<string?> _tokenFile = new("--token-file")
    {
        Description = "File with the token for that server. Default: DTI_TOKEN_FILE, or the token itself in DTI_TOKEN.",
        HelpName = "file",
        Recursive = true,
    };

    private readonly Option<string?> _ca = new("--ca")
    {
        Description =
            "PEM file of the certificate that vouches for that server, where the system does not know it. Default: DTI_CA.",
        HelpName = "file",
        Recursive = true,
    };

    private readonly Option<string?> _data = new("--data")
    {
        Description =
            "Folder of the concept library, for a server of the command's own. Default: DTI_HOME, or the user's data folder.",
        HelpName = "folder",
        Recursive = true,
    };

    private readonly Option<string[]> _models = new("--models")
    {
        Description =
            "A model (a diffusers folder, or a single safetensors file), a folder with some below it, or ComfyUI's folder, for a server of the command's own; repeatable. Default: DTI_MODELS.",
        HelpName = "folder",
        Recursive = true,
    };

    private readonly Option<string?> _memory = new("--memory")
    {
        Description =
            "What a server of the command's own trades for memory. balanced: large images go through the autoencoder in tiles, and idle parts of "
            + "the model leave a GPU. low: training steps compute twice what they do not keep, too. high: nothing. Default: DTI_MEMORY, or what goes "
            + "with the device's memory.",
        HelpName = "low|balanced|high",
        Recursive = true,
    };

    private readonly Option<bool> _json = new("--json")
    {
        Description = "Write one JSON object per line to stdout, and nothing else there.",
        Recursive = true,
    };

    private readonly HashSet<Command> _local = [];
    private readonly HashSet<Command> _diagnosing = [];

    public CommonOptions(RootCommand root)
    {
        ServerFlags.Add(nameof(DtiServerOptions.ConceptFolder), _data, folder =>
            Path.Combine(Path.GetFullPath(folder), "concepts")
        );
        ServerFlags.Add(nameof(DtiServerOptions.JobFolder), _data, folder =>
            Path.Combine(Path.GetFullPath(folder), "jobs")
        );
        ServerFlags.Add(nameof(DtiServerOptions.ModelFolders), _models, Path.GetFullPath);
        ServerFlags.Add(nameof(DtiServerOptions.Memory), _memory);
        root.Add(_server);
        root.Add(_tokenFile);
        root.Add(_ca);
        root.Add(_data);
        root.Add(_models);
        root.Add(_memory);
        root.Add(_json);
    }

    /// <summary>Those that are a server's settings.</summary>
    public FlagSet ServerFlags { get; } = new();

    /// <summary>Of a running server; commands that call none refuse them.</summary>
    private IEnumerable<Option> OfServers => [_server, _tokenFile, _ca];

    /// <summary>Options that every command has in name, and that this one does not take.</summary>
    public IEnumerable<Option> RefusedBy(Command command) => _local.Contains(command) ? OfServers : [];

    /// <summary>
    /// As <see cref="SetAction"/>, of a command that works on this machine and calls no server: one that is named would
    /// be passed over in silence.
    /// </summary>
    public void SetLocalAction(Command command, Func<CommandContext, Task> action)
    {
        SetLocal(command);
        command.Validators.Add(asked =>
        {
            foreach (var option in OfServers.Where(option => asked.GetResult(option) is { Implicit: false }))
                asked.AddError($"{option.Name} is for commands that call a running server; this one works here.");
        });
        SetAction(command, action);
    }

    /// <summary>A command whose subcommands all call no server.</summary>
    public void SetLocal(Command command) => _local.Add(command);

    /// <summary>A command that reports what is missing instead of failing for it.</summary>
    public void SetDiagnosing(Command command) => _diagnosing.Add(command);

    /// <summary>
    /// Runs <paramref name="action"/> with the command, and turns whatever it throws into words and an exit code.
    /// </summary>
    public void SetAction(Command command, Func<CommandContext, Task> action) =>
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                IOutput output = parse.GetValue(_json) ? new JsonOutput(Console.Out) : new ConsoleOutput();
                var address = parse.GetValue(_server) ?? Environment.GetEnvironmentVariable("DTI_SERVER");
                try
                {
                    var folders = DataFolders.Resolve(
                        parse.GetValue(_data),
                        parse.GetValue(_models) ?? [],
                        parse.GetValue(_memory),
                        modelsExist: !_diagnosing.Contains(command)
                    );
                    await action(
                            new CommandContext(
                                parse,
                                output,
                                address,
                                new Credentials(parse.GetValue(_tokenFile), parse.GetValue(_ca)),
                                folders,
                                cancellationToken
                            )
                        )
                        .ConfigureAwait(false);
                    return ExitCode.Ok;
                }
                catch (Exception exception)
                {
                    // What fails after Ctrl+C fails because of it.
                    var cause = cancellationToken.IsCancellationRequested
                        ? new OperationCanceledException(cancellationToken)
                        : exception;
                    return Failures.Report(cause, output, address);
                }
            }
        );
}
