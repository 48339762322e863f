using Dti.Cli;

return await CommandLine.RunAsync(args).ConfigureAwait(false);
