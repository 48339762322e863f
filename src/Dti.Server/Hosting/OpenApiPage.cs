using System.Globalization;
using System.Text;
using Dti.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi.Models;
using Microsoft.OpenApi.Writers;
using Swashbuckle.AspNetCore.Swagger;

namespace Dti.Server.Hosting;

/// <summary>
/// The contract as OpenAPI, <c>/openapi/v1.json</c>, and as a page to read, <c>/openapi</c>. Both are made once: they
/// stay the same while the server runs, and anybody may ask for them.
/// </summary>
internal static class OpenApiPage
{
    /// <summary>Path of the document.</summary>
    public const string DocumentAddress = "/openapi/v1.json";

    private const string PageAddress = "/openapi";
    private const string TokenScheme = "token";

    public static void UseOpenApiPage(this WebApplication app)
    {
        var made = new Lazy<(byte[] Document, byte[] Page)>(() => Make(app.Services));
        app.Use(
            async (context, next) =>
            {
                var path = context.Request.Path;
                if (
                    (path != DocumentAddress && path != PageAddress)
                    || !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
                )
                {
                    await next(context);
                    return;
                }

                var isPage = path == PageAddress;
                var headers = context.Response.Headers;
                headers.XContentTypeOptions = "nosniff";
                if (isPage)
                {
                    headers.ContentSecurityPolicy = ApiReference.Policy;
                }

                var bytes = isPage ? made.Value.Page : made.Value.Document;
                context.Response.ContentType = isPage ? "text/html;charset=utf-8" : "application/json;charset=utf-8";
                context.Response.ContentLength = bytes.Length;
                if (HttpMethods.IsGet(context.Request.Method))
                {
                    await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
                }
            }
        );
    }

    private static (byte[] Document, byte[] Page) Make(IServiceProvider services)
    {
        using var scope = services.CreateScope();
        var document = scope.ServiceProvider.GetRequiredService<ISwaggerProvider>().GetSwagger("v1");
        AddAccess(document);
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        document.SerializeAsV3(new OpenApiJsonWriter(text));
        return (Encoding.UTF8.GetBytes(text.ToString()), Encoding.UTF8.GetBytes(new ApiReference(document).Write()));
    }

    /// <summary>How the server is reached and what it asks of callers, of which the contract says nothing.</summary>
    private static void AddAccess(OpenApiDocument document)
    {
        document.Servers = [new OpenApiServer { Url = "/", Description = "The server that this document is from." }];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes[TokenScheme] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = TokenAuthentication.Name.ToLowerInvariant(),
            Description = "A token of the server (dti tokens create). A server without tokens asks for none.",
        };
        var reference = new OpenApiReference { Type = ReferenceType.SecurityScheme, Id = TokenScheme };
        document.SecurityRequirements =
        [
            new OpenApiSecurityRequirement { [new OpenApiSecurityScheme { Reference = reference }] = [] },
            [], // where the server has no tokens
        ];
    }
}
