namespace Dti.ClientSdk.Tests;

/// <summary>Short names for the events of a training.</summary>
internal static class Updates
{
    public static TrainingAccepted Accepted { get; } =
        new("job-1", "request-1", "cat", new TrainingSettings(), 3, false, 0);

    public static TrainingResult Result { get; } = new("cat", "<cat>", 3, 0.1, 0.4, 12, TimeSpan.FromSeconds(1), 3, "");

    public static TrainingProgress Step(int step) => new(step, 3, 0.1, 0.1, 0.4, 1, 0, 0.005, 10, null);

    public static TrainingPreview Preview(int step, int index = 0) =>
        new(step, new Picture(default, "image/png", 64, 64, index, "a photo", 1, null));
}
