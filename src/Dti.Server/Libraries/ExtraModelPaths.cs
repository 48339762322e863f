using System.Text.RegularExpressions;
using Dti.Engine;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Dti.Server.Libraries;

/// <summary>A folder that ComfyUI is told of.</summary>
/// <param name="Kind">What it holds, by ComfyUI's name: <c>checkpoints</c>, <c>vae</c>, …</param>
/// <param name="Path">The folder.</param>
/// <param name="IsDefault">It comes before ComfyUI's own.</param>
internal sealed record ExtraFolder(string Kind, string Path, bool IsDefault);

/// <summary>ComfyUI's <c>extra_model_paths.yaml</c>: groups of folders by what they hold, relative to the group's <c>base_path</c>.</summary>
internal static partial class ExtraModelPaths
{
    public const string FileName = "extra_model_paths.yaml";
    private const long MaxBytes = 1024 * 1024;

    public static bool IsOne(string path) => Path.GetExtension(path) is ".yaml" or ".yml" && File.Exists(path);

    /// <summary>Every folder that the file names, in its order.</summary>
    /// <exception cref="DtiException">The file cannot be read, or is no YAML; the message names the place.</exception>
    public static IReadOnlyList<ExtraFolder> Read(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var found = new List<ExtraFolder>();
        foreach (var settings in Groups(file))
        {
            var start = Path.Combine(folder, ExpandUser(Environment.ExpandEnvironmentVariables(Lines(settings, "base_path").FirstOrDefault(""))));
            var isDefault = Lines(settings, "is_default").Any(line => line.Equals("true", StringComparison.OrdinalIgnoreCase));
            foreach (var kind in settings.Children.Keys.OfType<YamlScalarNode>().Select(key => key.Value ?? "").Where(key => key is not ("base_path" or "is_default")))
            {
                found.AddRange(Lines(settings, kind).Select(line => new ExtraFolder(kind, Path.GetFullPath(Path.Combine(start, line)), isDefault)));
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
            yaml.Load(reader);
            return yaml.Documents.Select(document => document.RootNode).OfType<YamlMappingNode>().SelectMany(root => root.Children.Values).OfType<YamlMappingNode>();
        }
        catch (YamlException error)
        {
            throw new DtiException(ErrorKind.FailedPrecondition, $"{file} is not valid YAML at line {error.Start.Line}: {error.Message}", innerException: error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DtiException(ErrorKind.FailedPrecondition, $"{file} cannot be read: {error.Message}", innerException: error);
        }
    }

    /// <summary>A value: one text, one text of several lines, or a list.</summary>
    private static IEnumerable<string> Lines(YamlMappingNode settings, string key)
    {
        var value = settings.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;
        var texts = value is YamlSequenceNode list ? list.Children.OfType<YamlScalarNode>() : value is YamlScalarNode scalar ? [scalar] : [];
        return texts.SelectMany(text => (text.Value ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary><c>~</c>, <c>$NAME</c> and <c>${NAME}</c> as a shell reads them; what is not set stays as it is.</summary>
    private static string ExpandUser(string path)
    {
        var home = path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + path[1..] : path;
        return Variable().Replace(home, match => Environment.GetEnvironmentVariable(match.Groups["name"].Value) ?? match.Value);
    }

    [GeneratedRegex(@"\$(?:(?<name>\w+)|\{(?<name>\w+)\})")]
    private static partial Regex Variable();
}
