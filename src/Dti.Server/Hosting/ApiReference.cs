using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.OpenApi.Any;
using Microsoft.OpenApi.Models;

namespace Dti.Server.Hosting;

/// <summary>The OpenAPI document as a page to read: every call and every message, without scripts.</summary>
internal sealed class ApiReference(OpenApiDocument document)
{
    private const string Style = """
        :root { color-scheme: light dark }
        body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
        code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere }
        section { border-top: 1px solid #8886; margin-top: 1.5rem }
        table { border-collapse: collapse; display: block; overflow-x: auto }
        th, td { border-top: 1px solid #8886; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }
        a { color: inherit }
        """;

    /// <summary>The policy of the page: it needs its own style and nothing else.</summary>
    public static string Policy { get; } =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>The page as HTML.</summary>
    public string Write()
    {
        var calls = (document.Paths ?? [])
            .SelectMany(path => path.Value.Operations, (path, call) => (Path: path.Key, call.Key, call.Value))
            .GroupBy(call => call.Value.Tags.FirstOrDefault()?.Name ?? "Calls")
            .ToList();
        var messages = (document.Components?.Schemas ?? new Dictionary<string, OpenApiSchema>()).OrderBy(
            message => message.Key,
            StringComparer.Ordinal
        );
        return $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Dti: calls over HTTP</title>
            <style>{Style}</style>
            </head>
            <body>
            <main>
            <h1>Dti: calls over HTTP</h1>
            <p>Every call of the contract takes and gives JSON. A stream is one JSON object a line. The same document for
            programs: <a href="{OpenApiPage.DocumentAddress}">{OpenApiPage.DocumentAddress}</a>. If the server has tokens, each call needs the header
            <code>Authorization: Bearer TOKEN</code>; <code>dti tokens create</code> makes one.</p>
            <nav aria-label="Services"><ul>
            {Join(calls.Select(service => Link(service.Key)))}
            <li><a href="#messages">Messages</a></li>
            </ul></nav>
            {Join(
                calls.Select(service =>
                    Service(service.Key, service.Select(call => Call(call.Path, call.Key, call.Value)))
                )
            )}
            <section id="messages"><h2>Messages</h2>
            {Join(messages.Select(message => Message(message.Key, message.Value)))}
            </section>
            </main>
            </body>
            </html>

            """;
    }

    private static string Link(string service) => $"<li><a href=\"#{Id(service)}\">{Text(service)}</a></li>";

    private static string Service(string name, IEnumerable<string> calls) =>
        $"""
            <section id="{Id(name)}"><h2>{Text(name)}</h2>
            {Join(calls)}
            </section>
            """;

    private static string Call(string path, OperationType verb, OpenApiOperation call)
    {
        var request = call.RequestBody?.Content.Values.FirstOrDefault()?.Schema;
        var reply = call.Responses.Values.FirstOrDefault()?.Content.Values.FirstOrDefault()?.Schema;
        var takes = request is null ? "" : $"Takes {Type(request)}. ";
        var gives = reply is null ? "" : $"Gives {Type(reply)}.";
        var parameters =
            call.Parameters.Count == 0
                ? ""
                : Table(call.Parameters.Select(one => (one.Name, one.Schema, (string?)one.Description)));
        return $"""
            <h3><code>{verb.ToString().ToUpperInvariant()} {Text(path)}</code></h3>
            <p>{Text(call.Summary)}</p>
            {parameters}
            <p>{takes}{gives}</p>
            """;
    }

    private static string Message(string name, OpenApiSchema schema)
    {
        var content =
            schema.Properties.Count > 0
                ? Table(schema.Properties.Select(field => (field.Key, field.Value, (string?)field.Value.Description)))
                : $"<p>{Type(schema, itself: true)}</p>";
        return $"""
            <h3 id="{Id(name)}">{Text(name)}</h3>
            <p>{Text(schema.Description)}</p>
            {content}
            """;
    }

    private static string Table(IEnumerable<(string Name, OpenApiSchema Schema, string? Description)> fields)
    {
        var rows = fields.Select(field =>
            $"<tr><td><code>{Text(field.Name)}</code></td><td>{Type(field.Schema)}</td>"
            + $"<td>{Text(field.Description)}{Range(field.Schema)}</td></tr>"
        );
        return $"""
            <table><thead><tr><th scope="col">field</th><th scope="col">type</th><th scope="col">meaning</th></tr></thead>
            <tbody>{Join(rows)}</tbody></table>
            """;
    }

    private static string Type(OpenApiSchema? schema, bool itself = false) =>
        schema switch
        {
            null => "",
            { Reference.Id: { } id } when !itself => $"<a href=\"#{Id(id)}\">{Text(id)}</a>",
            { Type: "array" } => $"list of {Type(schema.Items)}",
            { Enum.Count: > 0 } => string.Join(
                ", ",
                schema.Enum.OfType<OpenApiString>().Select(word => $"<code>{Text(word.Value)}</code>")
            ),
            { AllOf.Count: 1 } => Type(schema.AllOf[0]),
            _ => Text($"{schema.Type}{(schema.Format is null ? "" : $" ({schema.Format})")}"),
        };

    private static string Range(OpenApiSchema? schema) =>
        schema is { Minimum: { } least, Maximum: { } most }
            ? string.Create(CultureInfo.InvariantCulture, $" {least:0.######} to {most:0.######}.")
            : "";

    private static string Join(IEnumerable<string> parts) => string.Join('\n', parts);

    private static string Id(string name) => WebUtility.HtmlEncode(name.Replace(' ', '-'));

    private static string Text(string? text) => WebUtility.HtmlEncode(text ?? "");
}
