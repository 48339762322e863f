using System.Globalization;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Security;

namespace Dti.Server.Diagnosis;

/// <summary>
/// What a checkup finds of access to the server: who may call, how long the certificate is good, and files that others of this
/// machine can touch.
/// </summary>
internal static class AccessFindings
{
    // Let's Encrypt's are renewed a month before they end
    private static readonly TimeSpan _late = TimeSpan.FromDays(7);

    /// <summary>Looks; what keeps a server from starting is <see cref="SecurityChecks"/>' to say.</summary>
    public static IEnumerable<Finding> Of(DtiServerOptions options, DateTimeOffset now)
    {
        var security = options.Security;
        if (
            security is { TlsCertificate: { } file, TlsKey: { } key }
            && Try(() => ServerCertificate.Load(file, key)) is { } shown
        )
        {
            yield return Certificate(file, shown.TargetCertificate.NotAfter.ToUniversalTime(), now);
            if (
                Touched(
                    key,
                    UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite
                )
            )
            {
                yield return new(
                    "private key",
                    FindingState.Doubtful,
                    $"{key} can be read by others of this machine",
                    $"chmod 600 {key}"
                );
            }
        }

        if (security.TokenFile is not { } tokens || Try(() => TokenFile.Exists(tokens) ? tokens : "") == "")
        {
            yield return new(
                "callers",
                FindingState.Good,
                security.ClientCa is null
                    ? "every program of this machine"
                    : "who has a certificate of the client authority"
            );
            yield break;
        }

        if (Try(() => new AccessTokens(tokens).List()) is { } all)
        {
            var good = all.Count(token => !(token.Expires <= now));
            yield return good > 0 || security.ClientCa is not null
                ? new(
                    "callers",
                    FindingState.Good,
                    $"who has one of {good} tokens of {tokens}{(good < all.Count ? $"; {all.Count - good} have expired" : "")}"
                )
                : new(
                    "callers",
                    FindingState.Doubtful,
                    $"nobody: {tokens} has no good token",
                    "Make one: dti tokens create NAME. Or, to open the server to this machine again, delete the file."
                );
        }

        if (Touched(tokens, UnixFileMode.GroupWrite | UnixFileMode.OtherWrite))
        {
            yield return new(
                "token file",
                FindingState.Doubtful,
                $"{tokens} can be written by others of this machine, who could make tokens",
                $"chmod 600 {tokens}"
            );
        }
    }

    private static Finding Certificate(string file, DateTime end, DateTimeOffset now)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{file} is good until {end:yyyy-MM-dd HH:mm} UTC");
        return end <= now
                ? new(
                    "certificate",
                    FindingState.Broken,
                    text,
                    "Renew it; the server takes the new one without a restart."
                )
            : end - now < _late
                ? new(
                    "certificate",
                    FindingState.Doubtful,
                    text,
                    "Renew it; the server takes the new one without a restart."
                )
            : new("certificate", FindingState.Good, text);
    }

    private static bool Touched(string path, UnixFileMode modes) =>
        !OperatingSystem.IsWindows() && File.Exists(path) && (File.GetUnixFileMode(path) & modes) != 0;

    private static T? Try<T>(Func<T> look)
        where T : class
    {
        try
        {
            return look();
        }
        catch (DtiException)
        {
            return null;
        }
    }
}
