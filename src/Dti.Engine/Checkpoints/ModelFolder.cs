using System.Text.Json;
using Dti.Engine.Configs;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Checkpoints;

/// <summary>A model folder in the diffusers layout: <c>model_index.json</c> and a folder for each component.</summary>
public sealed class ModelFolder : Checkpoint
{
    private const string Index = "model_index.json";
    private const string ComponentConfigFile = "config.json";
    private const string Nothing = "nothing";
    private readonly Dictionary<string, string> _settings;

    private ModelFolder(string path, IReadOnlyList<PipelineLayout> pipelines)
        : base(path)
    {
        using var index = BoundedJson.Read(System.IO.Path.Combine(Path, Index));
        _settings =
            index.RootElement.ValueKind == JsonValueKind.Object
                ? index
                    .RootElement.EnumerateObject()
                    .DistinctBy(pair => pair.Name)
                    .ToDictionary(pair => pair.Name, pair => pair.Value.ToString(), StringComparer.Ordinal)
                : [];
        var pipeline = Setting("_class_name") ?? Nothing;
        Layout = pipelines.FirstOrDefault(known => known.ClassName == pipeline)
            ?? throw Unsupported(
                $"pipeline '{pipeline}'",
                string.Join(", ", pipelines.Select(known => known.ClassName))
            );
        foreach (var component in Layout.Components)
        {
            var found =
                index.RootElement.TryGetProperty(component.Name, out var value)
                && value.ValueKind == JsonValueKind.Array
                && value.GetArrayLength() == 2
                    ? value[1].ToString()
                    : Nothing;
            if (
                found != component.ClassName
                && found != component.ClassName + "Fast"
                && !(found.Length == 0 && CanLack(component.Name))
            )
            {
                throw Unsupported($"{component.Name} '{found}'", component.ClassName);
            }
        }
    }

    /// <inheritdoc/>
    public override string Name => System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(Path));

    /// <inheritdoc/>
    public override PipelineLayout Layout { get; }

    /// <inheritdoc/>
    public override string? Setting(string key) => _settings.GetValueOrDefault(key);

    /// <inheritdoc/>
    internal override bool Holds(string component) =>
        File.Exists(System.IO.Path.Combine(Path, component, ComponentConfigFile));

    /// <summary>Whether a folder looks like a model folder.</summary>
    public static bool IsModelFolder(string path) => RegularFile.Is(System.IO.Path.Combine(path, Index));

    /// <summary>Opens a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="pipelines">Kinds of folders that are known.</param>
    /// <exception cref="DtiException">It is not a model folder, or its pipeline or one of its components is not
    /// supported.</exception>
    public static ModelFolder Open(string path, IReadOnlyList<PipelineLayout> pipelines) => new(path, pipelines);

    /// <inheritdoc/>
    public override JsonElement ReadConfig(string component)
    {
        var path = System.IO.Path.Combine(
            Path,
            component,
            component == "scheduler" ? "scheduler_config.json" : ComponentConfigFile
        );
        if (CanLack(component) && !File.Exists(path))
        {
            return Layout.AutoencoderConfig!();
        }

        using var json = BoundedJson.Read(path);
        return json.RootElement.Clone();
    }

    /// <inheritdoc/>
    public override ITokenizer LoadTokenizer(string textEncoder) => Layout.LoadTokenizer(TokenizerFolder(textEncoder));

    /// <inheritdoc/>
    internal override void WriteTokenizer(string textEncoder, string folder)
    {
        foreach (var file in Directory.EnumerateFiles(TokenizerFolder(textEncoder)))
        {
            AtomicFile.WriteAllBytes(
                System.IO.Path.Combine(folder, System.IO.Path.GetFileName(file)),
                File.ReadAllBytes(file)
            );
        }
    }

    /// <inheritdoc/>
    public override ComponentWeights OpenWeights(string component, string? variant = null)
    {
        var folder = System.IO.Path.Combine(Path, component);
        return CanLack(component) && !ComponentWeights.IsIn(folder)
            ? ComponentWeights.None(folder)
            : ComponentWeights.Open(folder, variant);
    }

    /// <summary>Another autoencoder can take the place of one that is missing.</summary>
    private bool CanLack(string component) => component == Layout.Autoencoder && Layout.AutoencoderConfig is not null;

    private string TokenizerFolder(string textEncoder) => System.IO.Path.Combine(Path, TokenizerOf(textEncoder));

    private DtiException Unsupported(string found, string supported) =>
        new(
            ErrorKind.FailedPrecondition,
            $"{System.IO.Path.Combine(Path, Index)}: {found} is not supported; {supported} {(supported.Contains(',', StringComparison.Ordinal) ? "are" : "is")}."
        );
}
