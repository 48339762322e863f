using System.Text;
using System.Text.RegularExpressions;

namespace Dti.Mini.World;

/// <summary>Says what is in a scene, in ordinary words and many wordings.</summary>
internal static partial class Captions
{
    private const char Mark = '\u0001';

    private static readonly Dictionary<Place, string[]> _places = new()
    {
        [Place.Snow] =
        [
            "in the snow",
            "on a snowy field",
            "in a snowy winter landscape",
            "outside on a snowy day",
            "on fresh white snow with fir trees",
        ],
        [Place.Desert] = ["in the desert", "on sand dunes", "in a hot sandy desert", "among the dunes of a desert"],
        [Place.Beach] = ["on the beach", "on a sunny beach", "on the sand by the sea", "at the seaside on a beach"],
        [Place.Meadow] = ["in a meadow", "on green grass", "in a grassy meadow with flowers", "in a field of grass"],
        [Place.Forest] =
        [
            "in a forest",
            "in the woods",
            "between the trees of a forest",
            "on the ground of a green forest",
        ],
        [Place.Mountains] =
        [
            "in the mountains",
            "in front of snowy mountains",
            "before high mountains",
            "with mountains in the background",
        ],
        [Place.City] =
        [
            "in the city",
            "on a city street",
            "on a street with tall buildings",
            "in front of the buildings of a city",
        ],
        [Place.NightSea] =
        [
            "by the sea at night",
            "at the night sea",
            "on the dark sea under the moon",
            "at sea on a starry night",
        ],
        [Place.Kitchen] =
        [
            "in a kitchen",
            "on a kitchen table",
            "on a wooden table in the kitchen",
            "on a kitchen counter",
        ],
        [Place.Library] =
        [
            "in a library",
            "in front of bookshelves",
            "in a room full of books",
            "before a shelf of old books",
        ],
        [Place.Underwater] = ["underwater", "under the sea", "at the bottom of the ocean", "deep under water"],
        [Place.Space] =
        [
            "in space",
            "on the moon in outer space",
            "in outer space with a planet",
            "on a far planet among the stars",
        ],
    };

    private static readonly Dictionary<Style, string[]> _styles = new()
    {
        [Style.Photo] = ["a photo of", "a photograph of", "a picture of", "a close photo of", "a photo showing", ""],
        [Style.Flat] =
        [
            "a flat illustration of",
            "a flat vector drawing of",
            "a simple flat picture of",
            "a poster of",
        ],
        [Style.Ink] = ["an ink drawing of", "a black ink outline of", "a comic drawing of", "a cartoon outline of"],
        [Style.Watercolor] =
        [
            "a watercolor painting of",
            "a watercolor of",
            "a soft watercolor picture of",
            "a painting of",
        ],
        [Style.Pixel] =
        [
            "pixel art of",
            "a pixel art picture of",
            "an old video game picture of",
            "a pixel drawing of",
        ],
        [Style.Pencil] = ["a pencil drawing of", "a colored pencil sketch of", "a pencil sketch of", "a sketch of"],
        [Style.Neon] = ["a neon sign of", "glowing neon lights showing", "a neon picture of", "neon art of"],
    };

    private static readonly Dictionary<Style, string[]> _styleEndings = new()
    {
        [Style.Photo] = ["as a photo", "seen in a photograph"],
        [Style.Flat] = ["as a flat illustration", "in flat colors", "drawn as a flat vector picture"],
        [Style.Ink] = ["drawn in black ink", "in the style of a comic", "with thick ink outlines"],
        [Style.Watercolor] = ["in watercolor", "painted in watercolor", "in the style of a watercolor painting"],
        [Style.Pixel] = ["as pixel art", "in the style of an old video game", "made of big pixels"],
        [Style.Pencil] = ["drawn with colored pencils", "as a pencil sketch", "in pencil"],
        [Style.Neon] = ["made of glowing neon", "as a neon sign", "in neon lights"],
    };

    private static readonly Dictionary<Lighting, string[]> _lights = new()
    {
        [Lighting.Day] = ["in bright daylight", "in clear light", "on a bright day"],
        [Lighting.Evening] = ["in warm evening light", "at sunset", "in the golden light of the evening"],
        [Lighting.Dusk] = ["at dusk", "in dim blue light", "in the dark of the evening"],
        [Lighting.Fog] = ["in the fog", "in thick mist", "on a misty day"],
    };

    private static readonly Dictionary<Relation, string[]> _relations = new()
    {
        [Relation.LeftOf] = ["to the left of", "left of", "on the left side of", "standing to the left of"],
        [Relation.RightOf] = ["to the right of", "right of", "on the right side of", "standing to the right of"],
        [Relation.On] = ["on top of", "on", "standing on", "placed on top of"],
        [Relation.Behind] = ["behind", "partly behind", "standing behind"],
        [Relation.InFrontOf] = ["in front of", "standing in front of", "before"],
    };

    private static readonly Dictionary<Pattern, (string Adjective, string Ending)> _patterns = new()
    {
        [Pattern.Plain] = ("plain", "without a pattern"),
        [Pattern.Striped] = ("striped", "with stripes"),
        [Pattern.Spotted] = ("spotted", "with spots"),
        [Pattern.Checked] = ("checkered", "with a checkered pattern"),
    };

    // Wordings of the templates that concepts are trained with (see PromptTemplates), so that none is new to the model.
    private static readonly string[] _templates =
    [
        "a rendering of",
        "a cropped photo of",
        "the photo of",
        "a dark photo of",
        "a close-up photo of",
        "a bright photo of",
        "a good photo of",
        "a rendition of",
    ];

    private static readonly string[] _opinions = ["clean", "dirty", "cool", "nice", "weird", "good"];

    private static readonly string[] _starts = ["", "", "", "a detailed view of", "there is", "we see", "this shows"];

    /// <summary>Every text that captions are made of, so that a vocabulary can be cut to it.</summary>
    public static IEnumerable<string> Words =>
        [
            .. _templates,
            .. _opinions,
            .. _places
                .Values.Concat(_styles.Values)
                .Concat(_styleEndings.Values)
                .Concat(_lights.Values)
                .Concat(_relations.Values)
                .SelectMany(texts => texts),
            .. _starts,
            .. _patterns.Values.SelectMany(pattern => (string[])[pattern.Adjective, pattern.Ending]),
            .. ObjectColour.Described.Select(colour => colour.Name),
            .. Designs.DesignWords.Words,
            .. Shapes.ShapeCatalogue.All.Select(shape => shape.Name),
            "a an the and next to small little big large from left to right in a row with one my thing it they is all painting picture image close up bright dark cropped rendition style of ' , . ! ?",
        ];

    /// <summary>One wording of a scene, of 5 to about 60 tokens.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="dice">Chooses the wording and what is left unsaid.</param>
    /// <param name="everything">Leave nothing unsaid: what is asked for can then be looked for.</param>
    public static string Say(Scene scene, Dice dice, bool everything = false) =>
        ObjectEnd().Replace(SayMarked(scene, dice, everything), "");

    /// <summary>
    /// As <see cref="Say"/>, with a mark after the words of each object (see <see cref="ObjectEnd"/>).
    /// </summary>
    public static string SayMarked(Scene scene, Dice dice, bool everything = false)
    {
        // From terse to full: how likely each detail is told.
        var detail = dice.Pick((float[])[0.5f, 0.8f, 1, 1]);
        bool Tell(float probability) => dice.Chance(probability * detail) || everything;

        var text = new StringBuilder();
        var styleSaid = (scene.Style != Style.Photo && dice.Chance(0.93f)) || dice.Chance(0.6f) || everything;
        var styleFirst = dice.Chance(0.75f);
        var opening =
            styleSaid && styleFirst ? dice.Pick(_styles[scene.Style])
            : dice.Chance(0.2f) ? dice.Pick(_starts)
            : "";
        Append(text, scene.Style == Style.Photo && dice.Chance(0.25f) ? dice.Pick(_templates) : opening);

        string[] things = [.. scene.Objects.Select((o, i) => $"{Thing(o, i, dice, Tell, everything)}{Mark}{i}")];
        switch (things.Length)
        {
            case 1:
                Append(text, things[0]);
                if (Tell(0.45f))
                {
                    Append(
                        text,
                        scene.Objects[0].X switch
                        {
                            < 0.4f => dice.Pick((string[])["on the left", "on the left side"]),
                            > 0.6f => dice.Pick((string[])["on the right", "on the right side"]),
                            _ => "in the middle",
                        }
                    );
                }

                break;

            case 2:
                Append(text, things[0]);
                Append(text, dice.Chance(0.95f) || everything ? dice.Pick(_relations[scene.Relation!.Value]) : "and");
                Append(text, things[1]);
                break;

            default:
                Append(
                    text,
                    dice.Chance(0.5f)
                        ? $"{things[0]}, {things[1]} and {things[2]}"
                        : $"{things[0]} next to {things[1]} and {things[2]}"
                );
                if (Tell(0.7f))
                {
                    Append(
                        text,
                        dice.Pick((string[])["from left to right", "in a row", "in a row from left to right"])
                    );
                }

                break;
        }

        var light = Tell(scene.Lighting == Lighting.Day ? 0.2f : 0.85f) ? dice.Pick(_lights[scene.Lighting]) : "";
        var place = dice.Chance(0.93f) || everything ? dice.Pick(_places[scene.Place]) : "";
        var ending = styleSaid && !styleFirst ? dice.Pick(_styleEndings[scene.Style]) : "";
        foreach (var phrase in dice.Shuffle([place, light]).Append(ending))
        {
            Append(text, phrase, dice.Chance(0.35f) ? ", " : " ");
        }

        if (detail == 1 && text.Length < 150 && dice.Chance(0.4f))
        {
            Elaborate(text, scene, dice);
        }

        return text.ToString();
    }

    /// <summary>Says once more, in sentences of their own, what each object is like and where it is.</summary>
    private static void Elaborate(StringBuilder text, Scene scene, Dice dice)
    {
        foreach (
            var o in dice.Shuffle(scene.Objects.Where(o => o.Designed is null && !o.Shape.Name.StartsWith('<')))
                .Take(dice.Int(2) + 1)
        )
        {
            var (adjective, _) = _patterns[o.Pattern];
            var looks =
                o.Pattern == Pattern.Plain
                    ? dice.Pick((string[])["plain", "all"]) + " " + o.Colour.Name
                    : $"{o.Colour.Name} and {adjective}";
            var side = o.X switch
            {
                < 0.36f => "on the left",
                > 0.64f => "on the right",
                _ => "in the middle",
            };
            text.Append(dice.Pick((string[])[". ", ", "]))
                .Append(
                    dice.Pick(
                        (string[])
                            [
                                $"the {o.Shape.Name} is {looks}",
                                $"the {o.Shape.Name} is {side}",
                                $"the {o.Shape.Name} {side} is {looks}",
                                $"{side} is the {looks} {o.Shape.Name}",
                            ]
                    )
                );
        }

        if (dice.Chance(0.4f))
        {
            text.Append(dice.Chance(0.5f) ? ". this is " : ", the picture is ")
                .Append(dice.Pick(_places[scene.Place]))
                .Append(' ')
                .Append(dice.Pick(_lights[scene.Lighting]));
        }
    }

    private static string Thing(SceneObject o, int index, Dice dice, Func<float, bool> tell, bool everything)
    {
        if (o.Designed is not null)
        {
            return Designs.DesignWords.Say(o, index, dice, everything);
        }

        if (o.Shape.Name.StartsWith('<'))
        {
            return dice.Chance(0.5f) ? o.Shape.Name : $"a {o.Shape.Name}"; // a concept says itself what it looks like
        }

        var (adjective, ending) = _patterns[o.Pattern];
        var size =
            o.Size == ObjectSize.Medium || !tell(0.75f) ? ""
            : o.Size == ObjectSize.Small ? dice.Pick((string[])["small", "little"])
            : dice.Pick((string[])["large", "big"]);
        var colour = tell(0.97f) ? o.Colour.Name : "";
        var patternSaid = o.Pattern == Pattern.Plain ? tell(0.5f) : tell(0.95f);
        var adjectives =
            patternSaid && dice.Chance(0.7f)
                ? dice.Chance(0.7f)
                    ? $"{size} {adjective} {colour}"
                    : $"{size} {colour} {adjective}"
                : $"{size} {colour}";
        var after = patternSaid && !adjectives.Contains(adjective, StringComparison.Ordinal) ? ending : "";
        var words = string.Join(
            ' ',
            $"{adjectives} {o.Shape.Name} {after}".Split(' ', StringSplitOptions.RemoveEmptyEntries)
        );
        words = dice.Chance(0.04f) ? $"{dice.Pick(_opinions)} {words}" : words;
        var article =
            dice.Chance(0.1f) ? "the"
            : dice.Chance(0.05f) ? "one"
            : dice.Chance(0.03f) ? "my"
            : "aeiou".Contains(words[0], StringComparison.Ordinal) ? "an"
            : "a";
        return $"{article} {words}";
    }

    private static void Append(StringBuilder text, string phrase, string before = " ")
    {
        if (phrase.Length > 0)
        {
            text.Append(text.Length > 0 ? before : "").Append(phrase);
        }
    }

    /// <summary>The mark that ends an object's words; its group is the object's place in the scene.</summary>
    [GeneratedRegex("\u0001([0-9])")]
    public static partial Regex ObjectEnd();
}
