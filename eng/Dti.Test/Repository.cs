namespace Dti.Test;

internal static class Repository
{
    /// <summary>The folder of Dti.sln, here or above.</summary>
    public static string Root()
    {
        for (var folder = new DirectoryInfo(Environment.CurrentDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dti.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("Run this inside the repository.");
    }
}
