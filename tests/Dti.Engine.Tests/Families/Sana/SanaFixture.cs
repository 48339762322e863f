using System.Text.Json;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.Sana;
using Dti.Engine.Runtime.Devices;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Families.Sana;

/// <summary>tiny-sana and its variants, loaded once each.</summary>
public sealed class SanaFixture : IDisposable
{
    private readonly Dictionary<string, SanaModel> _loaded = [];

    /// <summary>The folder.</summary>
    public static string Folder { get; } = Path.Combine(Fixtures.Root, "tiny-sana");

    /// <summary>As it is: SANA 1.0, without softcapping.</summary>
    public SanaModel Model => Of("sdpa");

    public void Dispose()
    {
        foreach (var model in _loaded.Values)
        {
            model.Dispose();
        }
    }

    internal static string Expected(string file) => FixtureUse.Note(Path.Combine(Folder, "expected", file));

    internal static JsonDocument Json(string file) => JsonDocument.Parse(File.ReadAllText(Expected(file)));

    /// <summary>A copy of the folder whose files may be changed.</summary>
    internal static DirectoryInfo Copy(params (string File, string From, string To)[] changes)
    {
        var copy = Directory.CreateTempSubdirectory("dti-sana-");
        Fixtures.CopyModel("tiny-sana", copy.FullName);
        foreach (var (file, from, to) in changes)
        {
            var path = Path.Combine(copy.FullName, file);
            var text = File.ReadAllText(path);
            Assert.Contains(from, text, StringComparison.Ordinal);
            File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
        }

        return copy;
    }

    /// <summary>A variant.</summary>
    /// <param name="variant"><c>sdpa</c>, <c>eager</c> (with softcapping), or <c>transformer_15</c>.</param>
    internal SanaModel Of(string variant)
    {
        if (_loaded.TryGetValue(variant, out var model))
        {
            return model;
        }

        if (variant == "sdpa")
        {
            return _loaded[variant] = Load(Folder);
        }

        var folder = Copy();
        switch (variant)
        {
            case "eager":
                var config = Path.Combine(folder.FullName, "text_encoder", "config.json");
                File.WriteAllText(
                    config,
                    File.ReadAllText(config)
                        .Replace(
                            "\"attention_bias\"",
                            "\"attn_implementation\": \"eager\", \"attention_bias\"",
                            StringComparison.Ordinal
                        )
                );
                break;
            case "transformer_15":
                Directory.Delete(Path.Combine(folder.FullName, "transformer"), recursive: true);
                Directory.Move(
                    Path.Combine(folder.FullName, "transformer_15"),
                    Path.Combine(folder.FullName, "transformer")
                );
                break;
        }

        model = Load(folder.FullName);
        folder.Delete(recursive: true);
        return _loaded[variant] = model;
    }

    private static SanaModel Load(string folder) =>
        SanaModel.Load(ModelFamilies.BuiltIn.Read(folder), new ComputeTarget(CPU, ScalarType.Float32));
}
