using System.Net;
using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>Pieces of HTML.</summary>
internal static class Html
{
    public static string Text(string text) => WebUtility.HtmlEncode(text);

    /// <summary>An image inside the page, with a caption.</summary>
    public static string Figure(
        string mediaType,
        ReadOnlyMemory<byte> data,
        string description,
        string caption,
        bool pixelated = false
    ) =>
        $"""
            <figure><img alt="{Text(description)}"{(
                pixelated ? " class=\"pixels\"" : ""
            )} src="data:{mediaType};base64,{Convert.ToBase64String(
                data.Span
            )}"><figcaption>{caption}</figcaption></figure>

            """;

    /// <summary>A generated image inside the page, with a caption.</summary>
    public static string Figure(Picture picture, string description, string caption) =>
        Figure(picture.MediaType, picture.Data, description, caption, pixelated: picture.Width < 256);

    /// <summary>A line chart with a caption.</summary>
    public static string Chart(
        string title,
        string remark,
        double leastSpan,
        params IReadOnlyList<LineChart.Series> series
    ) =>
        $"""
            <figure class="chart">{LineChart.Draw(title, leastSpan, series)}<figcaption><strong>{Text(
                title
            )}</strong> {Text(remark)}</figcaption></figure>

            """;

    /// <summary>Commands to copy.</summary>
    public static string Commands(params IEnumerable<string> lines) =>
        $"<pre><code>{string.Concat(lines.Select(line => $"<span>{Text(line)}</span>\n"))}</code></pre>\n";

    /// <summary>Settings as rows, runs as columns; a setting that a run does not have stays empty.</summary>
    public static string Table(
        IReadOnlyList<string> runs,
        IReadOnlyList<IReadOnlyList<(string Name, string Value)>> settings
    )
    {
        var names = settings.SelectMany(run => run.Select(setting => setting.Name)).Distinct();
        var head = string.Concat(runs.Select(run => $"<th scope=\"col\">{Text(run)}</th>"));
        var rows = names.Select(name => $"<tr><th scope=\"row\">{Text(name)}</th>{Cells(name)}</tr>\n");
        return $"<div class=\"scroll\"><table>\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{string.Concat(rows)}</tbody></table></div>\n";

        string Cells(string name) =>
            string.Concat(
                settings.Select(run =>
                    $"<td>{Text(run.FirstOrDefault(setting => setting.Name == name).Value ?? "")}</td>"
                )
            );
    }
}
