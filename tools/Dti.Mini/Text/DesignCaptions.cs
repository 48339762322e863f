using System.Text.RegularExpressions;
using Dti.Engine.Tokenization;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Text;

/// <summary>
/// Captions of scenes as ids, in which designs are rows of embeddings of their own: row k has id V + k.
/// </summary>
internal sealed partial class DesignCaptions
{
    private readonly List<long[]> _ids = [];
    private readonly List<Design> _rows = [];
    private readonly List<(int Caption, int Token, SceneObject Object)> _objects = [];
    private readonly List<long> _ends = [];

    /// <param name="tokenizer">V tokens.</param>
    /// <param name="captions">Scenes and their captions, marked (<see cref="Captions.SayMarked"/>).</param>
    /// <param name="length">Tokens of each caption; longer ones are cut, shorter ones padded; 0: those of the
    /// longest.</param>
    public DesignCaptions(ClipTokenizer tokenizer, IEnumerable<(Scene Scene, string Marked)> captions, int length = 0)
    {
        foreach (var (scene, marked) in captions)
        {
            Add(tokenizer, scene, marked);
        }

        Length = length > 0 ? length : Math.Min(Longest, _ids.Max(ids => ids.Length) + 2);
        var padded = new long[_ids.Count * Length];
        Array.Fill(padded, tokenizer.EosTokenId);
        foreach (var (caption, ids) in _ids.Index())
        {
            var kept = Math.Min(ids.Length, Length - 2);
            padded[caption * Length] = tokenizer.BosTokenId;
            ids.AsSpan(0, kept).CopyTo(padded.AsSpan((caption * Length) + 1));
            _ends.Add(kept + 1);
        }

        Ids = tensor(padded, [_ids.Count, Length]);
        _objects.RemoveAll(o => o.Token >= Length - 1);
    }

    private const int Longest = 77;

    /// <summary>Tokens of each caption.</summary>
    public int Length { get; }

    /// <summary>(B, Length) int64.</summary>
    public Tensor Ids { get; }

    /// <summary>
    /// (r, <see cref="DesignParameters.Count"/>) fp32, the parameters of all rows; null: there are none.
    /// </summary>
    public Tensor? Parameters =>
        _rows.Count == 0
            ? null
            : tensor(_rows.SelectMany(DesignParameters.Of).ToArray(), [_rows.Count, DesignParameters.Count]);

    /// <summary>(B) int64: where each caption ends.</summary>
    public Tensor Ends => tensor(_ends.ToArray());

    /// <summary>The objects, each with its caption and the last token of its words.</summary>
    public IReadOnlyList<(int Caption, int Token, SceneObject Object)> Objects => _objects;

    /// <summary>A scene whose designs have no names, so that each is a row of its own.</summary>
    public static Scene WithoutNames(Scene scene) => Renamed(scene, _ => null);

    /// <summary>A scene whose designs are called by their families.</summary>
    public static Scene WithFamilies(Scene scene) => Renamed(scene, o => o.Shape.Name);

    private static Scene Renamed(Scene scene, Func<SceneObject, string?> name) =>
        scene with
        {
            Objects =
            [
                .. scene.Objects.Select(o =>
                    o.Designed is { } designed ? o with { Designed = designed with { Name = name(o) } } : o
                ),
            ],
        };

    private void Add(ClipTokenizer tokenizer, Scene scene, string marked)
    {
        var ids = new List<long>();
        var at = 0;
        void Words(int to) => ids.AddRange(tokenizer.Encode(marked[at..to]).Select(id => (long)id));
        foreach (Match match in Marks().Matches(marked))
        {
            Words(match.Index);
            at = match.Index + match.Length;
            if (match.Groups["row"].Success)
            {
                ids.Add(tokenizer.VocabularySize + _rows.Count);
                _rows.Add(scene.Objects[match.Groups["row"].Value[0] - '0'].Designed!.Design);
            }
            else
            {
                // one more for the start token
                _objects.Add((_ids.Count, ids.Count, scene.Objects[match.Groups["end"].Value[0] - '0']));
            }
        }

        Words(marked.Length);
        _ids.Add([.. ids]);
    }

    [GeneratedRegex("<(?<row>[0-2])>|\u0001(?<end>[0-9])")]
    private static partial Regex Marks();
}
