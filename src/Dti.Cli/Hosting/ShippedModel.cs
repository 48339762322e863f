namespace Dti.Cli.Hosting;

/// <summary>The model that ships with Dti.</summary>
internal static class ShippedModel
{
    /// <summary>Its folder: the repository's test model; null where this program runs without the repository.</summary>
    public static string? Find() => Repository.Find("tests", "fixtures", "tiny-sd15");
}
