using System.Globalization;
using SkiaSharp;

namespace Dti.Mini.World.Designs;

/// <summary>
/// Says what a design is: by its name, by its name and what changes, or by a description of its parts.
/// </summary>
internal static class DesignWords
{
    private static readonly Dictionary<BodyShape, string> _bodies = new()
    {
        [BodyShape.Round] = "round",
        [BodyShape.Tall] = "tall",
        [BodyShape.Square] = "square",
        [BodyShape.Pear] = "pear shaped",
    };

    private static readonly Dictionary<Top, string> _tops = new()
    {
        [Top.Crown] = "a {0} crown",
        [Top.Horns] = "{0} horns",
        [Top.Antenna] = "a {0} antenna",
        [Top.Ears] = "long {0} ears",
        [Top.Hat] = "a {0} hat",
        [Top.Leaf] = "{0} leaves",
    };

    private static readonly Dictionary<Eyes, string> _eyes = new()
    {
        [Eyes.One] = "one big eye",
        [Eyes.Two] = "two eyes",
        [Eyes.Sleepy] = "sleepy eyes",
        [Eyes.Glasses] = "glasses",
    };

    private static readonly Dictionary<Sides, string> _sides = new()
    {
        [Sides.Wings] = "{0} wings",
        [Sides.Arms] = "{0} arms",
        [Sides.Rings] = "{0} rings",
        [Sides.Bare] = "",
    };

    private static readonly Dictionary<Mark, string> _marks = new()
    {
        [Mark.Belly] = "a {0} belly",
        [Mark.Heart] = "a {0} heart",
        [Mark.Star] = "a {0} star",
        [Mark.Blank] = "",
    };

    private static readonly Dictionary<Pattern, (string Adjective, string Noun)> _patterns = new()
    {
        [Pattern.Plain] = ("plain", ""),
        [Pattern.Striped] = ("striped", "{0} stripes"),
        [Pattern.Spotted] = ("spotted", "{0} spots"),
        [Pattern.Checked] = ("checkered", "{0} checks"),
    };

    /// <summary>Every word of descriptions and modifiers.</summary>
    public static IEnumerable<string> Words =>
        [
            .. _bodies.Values,
            .. _tops.Values,
            .. _eyes.Values,
            .. _sides.Values,
            .. _marks.Values,
            .. _patterns.Values.SelectMany(pattern => (string[])[pattern.Adjective, pattern.Noun]),
            .. Enum.GetNames<DesignFamily>(),
            .. Enum.GetNames<Material>(),
            "tiny giant with and an",
            "leaf horn ear wing arm ring stripe spot",
        ];

    /// <summary>The word that stands for an object's embedding in a caption.</summary>
    public static string Placeholder(int index) =>
        index switch
        {
            0 => "<0>",
            1 => "<1>",
            _ => "<2>",
        };

    /// <summary>An object with its article.</summary>
    /// <param name="o">An object with a design.</param>
    /// <param name="index">Its place in the scene, for its placeholder where it has no name.</param>
    /// <param name="dice">Chooses the wording.</param>
    /// <param name="everything">Describe all parts.</param>
    public static string Say(SceneObject o, int index, Dice dice, bool everything)
    {
        var designed = o.Designed!;
        var name = designed.Name ?? Placeholder(index);
        var size = o.Size switch
        {
            ObjectSize.Small when dice.Chance(0.8f) => dice.Pick((string[])["tiny", "small", "little"]),
            ObjectSize.Large when dice.Chance(0.8f) => dice.Pick((string[])["giant", "large", "big"]),
            _ => "",
        };
        if (everything || dice.Chance(0.33f))
        {
            return Article($"{size} {Describe(designed, dice, everything)}");
        }

        var noun = dice.Chance(0.3f) && name != o.Shape.Name ? $"{name} {o.Shape.Name}" : name;
        var words = $"{size} {Changed(designed.Modifier)} {noun}";
        return designed.Modifier is null && size.Length == 0 && dice.Chance(0.3f) ? noun : Article(words);
    }

    /// <summary>All parts of a design in words: what a name is compared with.</summary>
    public static string Describe(Design design) =>
        Article(Describe(new DesignedObject(design, null, null), new Dice(0), everything: true));

    private static string Changed(DesignModifier? modifier) =>
        modifier switch
        {
            null => "",
            { Colour: { } colour } => colour.Name,
            { Pattern: { } pattern } => _patterns[pattern].Adjective,
            _ => modifier.Material.ToString().ToLowerInvariant(),
        };

    private static string Describe(DesignedObject designed, Dice dice, bool everything)
    {
        var (design, material) = (designed.Painted, designed.Modifier?.Material ?? Material.None);
        bool Tell() => everything || dice.Chance(0.75f);

        // Everything of glass has one colour.
        string Named(SKColor colour) => material == Material.None && Tell() ? ObjectColour.Nearest(colour).Name : "";
        var (adjective, noun) = _patterns[design.Pattern];
        var secondSaid = design.Pattern != Pattern.Plain && (everything || dice.Chance(0.4f));
        string[] before =
        [
            Tell() ? _bodies[design.Body] : "",
            secondSaid || (design.Pattern == Pattern.Plain && !dice.Chance(0.3f)) || !Tell() ? "" : adjective,
            material == Material.None ? Named(design.Main) : material.ToString().ToLowerInvariant(),
            design.Word,
        ];
        string Part(string pattern, SKColor colour) =>
            pattern.Length > 0 && Tell()
                ? string.Format(CultureInfo.InvariantCulture, pattern, Named(colour))
                    .Replace("a  antenna", "an antenna", StringComparison.Ordinal)
                : "";
        string[] parts =
        [
            Part(_tops[design.Top], design.Trim),
            Tell() ? _eyes[design.Eyes] : "",
            Part(_sides[design.Sides], design.Trim),
            Part(_marks[design.Mark], design.Second),
            secondSaid ? string.Format(CultureInfo.InvariantCulture, noun, Named(design.Second)) : "",
        ];
        var said = (everything ? parts : dice.Shuffle(parts)).Where(part => part.Length > 0).ToArray();
        var list = said.Length switch
        {
            0 => "",
            1 => "with " + said[0],
            _ => $"with {string.Join(", ", said[..^1])} and {said[^1]}",
        };
        return string.Join(' ', before.Append(list));
    }

    private static string Article(string words)
    {
        words = string.Join(' ', words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return ("aeiou".Contains(words[0], StringComparison.Ordinal) ? "an " : "a ") + words;
    }
}
