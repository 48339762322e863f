using Dti.Server.Configuration;
using Google.Rpc;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Security;

/// <summary>
/// Takes the server's own folders out of what callers are told: <c>/srv/models/a/config.json</c> becomes
/// <c>a/config.json</c>. The log keeps whole paths.
/// </summary>
internal sealed class ServerPaths
{
    private readonly string[] _roots;

    public ServerPaths(DtiServerOptions options)
    {
        string?[] known =
        [
            options.ConceptFolder,
            options.JobFolder,
            options.BuiltInModel,
            .. options.ModelFolders,
            options.Security.TokenFile,
            options.Security.TlsCertificate,
            options.Security.TlsKey,
            options.Security.ClientCa,
            Path.GetTempPath(),
            AppContext.BaseDirectory,
        ];

        // Of a model or a file that is named itself, its own name is told.
        _roots =
        [
            .. known
                .Where(path => !string.IsNullOrWhiteSpace(path))
                .Select(path => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path!)))
                .SelectMany(path => new[] { path, Path.GetDirectoryName(path) ?? "" })
                .Where(path => path.Length > 1 && Path.GetPathRoot(path) != path)
                .Select(path => path + Path.DirectorySeparatorChar)
                .Distinct(StringComparer.Ordinal)
                .OrderByDescending(path => path.Length),
        ];
    }

    /// <summary>A text without the server's folders.</summary>
    public string Hide(string text)
    {
        if (!text.Contains(Path.DirectorySeparatorChar))
        {
            return text;
        }

        foreach (var root in _roots)
        {
            text = text.Replace(root, "", StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>A status whose texts are without the server's folders.</summary>
    public RpcStatus Hide(RpcStatus status)
    {
        if (Hide(status.Message) is var message && message == status.Message)
        {
            return status; // details say what the message says
        }

        var hidden = new RpcStatus { Code = status.Code, Message = message };
        hidden.Details.AddRange(
            status.Details.Select(detail =>
                detail.TryUnpack<BadRequest>(out var wrong) ? Google.Protobuf.WellKnownTypes.Any.Pack(Hide(wrong))
                : detail.TryUnpack<ErrorInfo>(out var info) ? Google.Protobuf.WellKnownTypes.Any.Pack(Hide(info))
                : detail
            )
        );
        return hidden;
    }

    private BadRequest Hide(BadRequest wrong)
    {
        foreach (var violation in wrong.FieldViolations)
        {
            violation.Description = Hide(violation.Description);
        }

        return wrong;
    }

    private ErrorInfo Hide(ErrorInfo info)
    {
        foreach (var (key, value) in info.Metadata.ToArray())
        {
            info.Metadata[key] = Hide(value);
        }

        return info;
    }
}
