using System.Globalization;
using Dti.Cli;

// Numbers are read and written the same in every language.
CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
return await CommandLine.RunAsync(args).ConfigureAwait(false);
