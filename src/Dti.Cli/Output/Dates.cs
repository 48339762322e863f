using System.Globalization;

namespace Dti.Cli.Output;

/// <summary>Times as people read them.</summary>
internal static class Dates
{
    public static string Show(DateTimeOffset? time) =>
        time?.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "";
}
