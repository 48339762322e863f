using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi.Writers;
using Swashbuckle.AspNetCore.Swagger;

namespace Dti.Server.Hosting;

/// <summary>
/// The contract as OpenAPI, made once: it stays the same while the server runs, and anybody may ask for it.
/// </summary>
internal static class OpenApiPage
{
    private const string Address = "/openapi/v1.json";

    public static void UseOpenApiPage(this WebApplication app)
    {
        var page = new Lazy<byte[]>(() => Make(app.Services));
        app.Use(
            async (context, next) =>
            {
                if (
                    context.Request.Path != Address
                    || !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
                )
                {
                    await next(context);
                    return;
                }

                var bytes = page.Value;
                context.Response.ContentType = "application/json;charset=utf-8";
                context.Response.ContentLength = bytes.Length;
                if (HttpMethods.IsGet(context.Request.Method))
                {
                    await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
                }
            }
        );
    }

    private static byte[] Make(IServiceProvider services)
    {
        using var scope = services.CreateScope();
        var document = scope.ServiceProvider.GetRequiredService<ISwaggerProvider>().GetSwagger("v1");
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        document.SerializeAsV3(new OpenApiJsonWriter(text));
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
