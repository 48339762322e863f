using System.Text.RegularExpressions;
using Dti.Engine;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Dti.Server.Libraries;

/// <summary>A folder that ComfyUI is told of.</summary>
/// <param name="Kind">What it holds, by ComfyUI's name: <c>checkpoints</c>, <c>vae</c>, …</param>
/// <param name="Path">The folder.</param>
/// <param name="IsDefault">It comes before ComfyUI's own.</param>
internal sealed record ExtraFolder(string Kind, string Path, bool IsDefault);

/// <summary>
/// ComfyUI's <c>extra_model_paths.yaml</c>: groups of folders by what they hold, relative to the group's
/// <c>base_path</c>.
/// </summary>
internal static partial class ExtraModelPaths
{
    public const string FileName = "extra_model_paths.yaml";
    private const long MaxBytes = 1024 * 1024;
    private const int MaxDepth = 32;

    public static bool IsOne(string path) => Path.GetExtension(path) is ".yaml" or ".yml" && File.Exists(path);

    /// <summary>Every folder that the file names, in its order.</summary>
    /// <exception cref="DtiException">The file cannot be read, or is no YAML; the message names the place.</exception>
    public static IReadOnlyList<ExtraFolder> Read(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var found = new List<ExtraFolder>();
        foreach (var settings in Groups(file))
        {
            var start = Path.Combine(
                folder,
                ExpandUser(Environment.ExpandEnvironmentVariables(Lines(settings, "base_path").FirstOrDefault("")))
            );
            var isDefault = Lines(settings, "is_default")
                .Any(line => line.Equals("true", StringComparison.OrdinalIgnoreCase));
            foreach (
                var kind in settings
                    .Children.Keys.OfType<YamlScalarNode>()
                    .Select(key => key.Value ?? "")
                    .Where(key => key is not ("base_path" or "is_default"))
            )
            {
                found.AddRange(
                    Lines(settings, kind)
                        .Select(line => new ExtraFolder(kind, Path.GetFullPath(Path.Combine(start, line)), isDefault))
                );
            }
        }

        return found;
    }

    private static IEnumerable<YamlMappingNode> Groups(string file)
    {
        try
        {
            if (new FileInfo(file).Length > MaxBytes)
            {
                throw new DtiException(ErrorKind.FailedPrecondition, $"{file} is too large to be a list of folders.");
            }

            var yaml = new YamlStream();
            using var reader = File.OpenText(file);
            yaml.Load(new LastOfAKey(new Parser(reader)));
            return yaml
                .Documents.Select(document => document.RootNode)
                .OfType<YamlMappingNode>()
                .SelectMany(root => root.Children.Values)
                .OfType<YamlMappingNode>();
        }
        catch (YamlException error)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{file} is not valid YAML at line {error.Start.Line}: {error.Message}",
                innerException: error
            );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{file} cannot be read: {error.Message}",
                innerException: error
            );
        }
    }

    /// <summary>A value: one text, one text of several lines, or a list.</summary>
    private static IEnumerable<string> Lines(YamlMappingNode settings, string key)
    {
        var value = settings.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;
        var texts =
            value is YamlSequenceNode list ? list.Children.OfType<YamlScalarNode>()
            : value is YamlScalarNode scalar ? [scalar]
            : [];
        return texts.SelectMany(text =>
            (text.Value ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        );
    }

    /// <summary>
    /// A parser's events without all but the last of a mapping's entries of one name, as PyYAML reads them.
    /// </summary>
    private sealed class LastOfAKey : IParser
    {
        private readonly Queue<ParsingEvent> _events;

        public LastOfAKey(IParser parser)
        {
            var all = new List<ParsingEvent>();
            while (parser.MoveNext())
            {
                all.Add(parser.Current!);
            }

            var at = 0;
            var kept = new List<ParsingEvent>();
            while (at < all.Count)
            {
                at = Copy(all, at, kept, MaxDepth);
            }

            _events = new Queue<ParsingEvent>(kept);
        }

        public ParsingEvent? Current { get; private set; }

        public bool MoveNext()
        {
            Current = _events.TryDequeue(out var next) ? next : null;
            return Current is not null;
        }

        /// <summary>Copies one node, or an event that is none.</summary>
        /// <returns>Where the next one begins.</returns>
        private static int Copy(List<ParsingEvent> all, int at, List<ParsingEvent> kept, int depth)
        {
            if (depth == 0)
            {
                throw new YamlException(all[at].Start, all[at].End, "it is nested too deeply");
            }

            var start = all[at];
            kept.Add(start);
            at++;
            if (start is SequenceStart)
            {
                while (all[at] is not SequenceEnd)
                {
                    at = Copy(all, at, kept, depth - 1);
                }
            }
            else if (start is MappingStart)
            {
                var entries = new List<(string? Name, List<ParsingEvent> Events)>();
                while (all[at] is not MappingEnd)
                {
                    var events = new List<ParsingEvent>();
                    var name = all[at] is Scalar key ? key.Value : null;
                    at = Copy(all, Copy(all, at, events, depth - 1), events, depth - 1);
                    entries.RemoveAll(entry => name is not null && entry.Name == name);
                    entries.Add((name, events));
                }

                entries.ForEach(entry => kept.AddRange(entry.Events));
            }
            else
            {
                return at;
            }

            kept.Add(all[at]);
            return at + 1;
        }
    }

    /// <summary>
    /// <c>~</c>, <c>$NAME</c> and <c>${NAME}</c> as a shell reads them; what is not set stays as it is.
    /// </summary>
    private static string ExpandUser(string path)
    {
        var home =
            path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
                ? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + path[1..]
                : path;
        return Variable()
            .Replace(home, match => Environment.GetEnvironmentVariable(match.Groups["name"].Value) ?? match.Value);
    }

    [GeneratedRegex(@"\$(?:(?<name>\w+)|\{(?<name>\w+)\})")]
    private static partial Regex Variable();
}
