namespace Dti.Cli.Hosting;

/// <summary>The repository that this program was built in, if it runs from there.</summary>
internal static class Repository
{
    /// <summary>A folder in the repository; null where there is no repository or no such folder.</summary>
    public static string? Find(params string[] path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var found = Path.Combine([folder.FullName, .. path]);
            if (File.Exists(Path.Combine(folder.FullName, "Dti.sln")) && Directory.Exists(found))
                return found;
        }

        return null;
    }
}
