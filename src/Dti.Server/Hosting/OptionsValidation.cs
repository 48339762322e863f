using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Jobs.Clustering;
using Dti.Server.Security;

namespace Dti.Server.Hosting;

/// <summary>Checks a server's options, the files of its security settings included.</summary>
internal static class OptionsValidation
{
    /// <summary>Checks every value.</summary>
    /// <exception cref="ValidationException">Names every wrong one.</exception>
    public static void Validate(this DtiServerOptions options)
    {
        FieldViolation[] found =
        [
            .. SecurityChecks.Violations(options),
            .. options.Violations(),
            .. ClusterChecks.Violations(options),
        ];
        if (found.Length > 0)
        {
            throw new ValidationException(found);
        }
    }
}
