using Dti.Cli.Files;

namespace Dti.Cli.Demo;

/// <summary>
/// The demo's photos, which this program carries, so that an installed <c>dti</c> needs no repository.
/// </summary>
internal static class DemoPhotos
{
    private const string Root = "photos/";

    /// <summary>
    /// Writes them to <c>photos/NAME/1.jpg</c> and so on, where the commands on the demo's page find them.
    /// </summary>
    /// <returns>The folder <c>photos</c>.</returns>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static async Task<string> WriteAsync(string folder, CancellationToken cancellationToken)
    {
        var assembly = typeof(DemoPhotos).Assembly;
        foreach (
            var name in assembly
                .GetManifestResourceNames()
                .Where(name => name.StartsWith(Root, StringComparison.Ordinal))
        )
        {
            using var photo = new MemoryStream();
            await assembly.GetManifestResourceStream(name)!.CopyToAsync(photo, cancellationToken).ConfigureAwait(false);
            await SafeFile
                .WriteAsync(Path.Combine(folder, name), photo.ToArray(), overwrite: true, cancellationToken)
                .ConfigureAwait(false);
        }

        return Path.Combine(folder, Root.TrimEnd('/'));
    }
}
