using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using Dti.Server.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dti.Server.Hosting;

/// <summary>
/// Dti Studio, the page to work in. Its files are built from <c>clients/studio</c> and embedded in this assembly.
/// Anybody may load it: it contains nothing secret, and its calls need what all calls need.
/// </summary>
internal static class StudioPage
{
    private const string Folder = "studio/";
    private const string Start = "/index.html";

    // Everything that the page needs comes from here, and no other page may show it in a frame.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, string> _mediaTypes = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".txt"] = "text/plain; charset=utf-8",
    };

    public static void UseStudioPage(this WebApplication app, DtiServerOptions options)
    {
        if (!options.Studio)
        {
            return;
        }

        var files = new Lazy<FrozenDictionary<string, PageFile>>(Load);
        app.Use(
            (context, next) =>
            {
                var path = context.Request.Path == "/" ? Start : context.Request.Path.Value ?? "";
                return
                    (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
                    && files.Value.TryGetValue(path, out var file)
                    ? SendAsync(context, file)
                    : next(context);
            }
        );
    }

    private static async Task SendAsync(HttpContext context, PageFile file)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-cache"; // asks whether it has changed: an upgraded server has another page
        headers.ETag = file.Tag;
        if (context.Request.Headers.IfNoneMatch == file.Tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = file.MediaType;
        context.Response.ContentLength = file.Bytes.Length;
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(file.Bytes, context.RequestAborted);
        }
    }

    private static FrozenDictionary<string, PageFile> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return assembly
            .GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .ToFrozenDictionary(name => $"/{name[Folder.Length..]}", name => Read(assembly, name));
    }

    private static PageFile Read(Assembly assembly, string name)
    {
        using var resource = assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return new PageFile(
            bytes,
            _mediaTypes[Path.GetExtension(name)],
            $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))}\""
        );
    }

    private sealed record PageFile(byte[] Bytes, string MediaType, string Tag);
}
