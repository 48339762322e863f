namespace Dti.Server.Configuration;

/// <summary>
/// Names by which programs of this machine call a server on it. Browsers that reach it under another name were led here
/// by a page (DNS rebinding).
/// </summary>
internal static class OwnNames
{
    private static readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase)
    {
        "localhost",
        "127.0.0.1",
        "[::1]",
    };

    public static bool Contains(string host) => _names.Contains(host);
}
