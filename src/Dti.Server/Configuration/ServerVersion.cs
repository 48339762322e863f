using System.Reflection;

namespace Dti.Server.Configuration;

/// <summary>The version of this server.</summary>
internal static class ServerVersion
{
    /// <summary>Like 1.2.3; what stands after + in the assembly's is the commit.</summary>
    public static string Text { get; } =
        typeof(ServerVersion)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];
}
