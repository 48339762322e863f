using System.Globalization;

namespace Dti.Bench;

/// <summary>Options of a command: <c>--name value</c>, or <c>--name</c> alone.</summary>
internal sealed class Arguments(string[] words)
{
    public string Text(string name, string absent) =>
        Array.IndexOf(words, name) is >= 0 and var at && at + 1 < words.Length ? words[at + 1] : absent;

    public int Number(string name, int absent) => int.Parse(Text(name, $"{absent}"), CultureInfo.InvariantCulture);

    public int[] Numbers(string name, string absent) =>
        Array.ConvertAll(Text(name, absent).Split(','), text => int.Parse(text, CultureInfo.InvariantCulture));

    public bool Has(string name) => words.Contains(name);
}
