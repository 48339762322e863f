namespace Dti.Cli.Tests;

/// <summary>The options of a training that takes little time and always has the same result.</summary>
internal static class QuickTraining
{
    /// <summary>Arguments for <c>dti train</c> after the photos: batch 1, 64 × 64, seed 1.</summary>
    /// <param name="steps">How many steps.</param>
    /// <param name="previewEvery">Steps between previews; 0: none.</param>
    public static string[] Options(int steps, int previewEvery = 0) =>
        [
            "--initializer",
            "cat",
            "--steps",
            $"{steps}",
            "--batch",
            "1",
            "--resolution",
            "64",
            "--seed",
            "1",
            "--preview-every",
            $"{previewEvery}",
        ];
}
