using Dti.Server.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dti.Server.Security;

/// <summary>
/// Which web pages may call: those of the server itself, and those of <see cref="DtiServerOptions.WebOrigins"/>. CORS
/// only keeps a page from reading answers. Here the call of any other page is refused before it has an effect, also one
/// that a browser sends without asking the server first, such as a form. Programs that are no browser send neither of
/// the headers that are read here.
/// </summary>
internal static class CallingPages
{
    public static void UseCallingPages(this IApplicationBuilder app, DtiServerOptions options) =>
        app.Use(
            (context, next) =>
            {
                if (MayCall(context.Request, options.WebOrigins))
                {
                    return next(context);
                }

                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                context.Response.ContentType = "text/plain; charset=utf-8";
                context.Response.Headers.XContentTypeOptions = "nosniff";
                return context.Response.WriteAsync(
                    "Pages of other sites may not call this server. Its operator can allow the pages of one origin with --web-origin.\n",
                    context.RequestAborted
                );
            }
        );

    private static bool MayCall(HttpRequest request, IReadOnlyList<string> allowed)
    {
        string? origin = request.Headers.Origin;
        if (!string.IsNullOrEmpty(origin))
        {
            return origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase)
                || allowed.Contains(origin, StringComparer.OrdinalIgnoreCase);
        }

        // Images, scripts and links have no Origin. A link to the page is welcome, the rest is not.
        string? site = request.Headers["Sec-Fetch-Site"];
        return site is not ("cross-site" or "same-site")
            || (request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers["Sec-Fetch-Dest"] == "document");
    }
}
