// Learns a concept from photos and draws it.
// Usage: Dti.ConsoleSample ADDRESS NAME PHOTO... [--overwrite] [-- STEPS]

using System.Globalization;
using Dti.ClientSdk;

CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;

if (args.Length < 3)
{
    Console.Error.WriteLine("Usage: Dti.ConsoleSample ADDRESS NAME PHOTO... [--overwrite] [-- STEPS]");
    return 2;
}

var (address, name) = (args[0], args[1]);
var photos = args[2..].TakeWhile(arg => arg != "--").Where(arg => arg != "--overwrite").ToList();
var steps = args.SkipWhile(arg => arg != "--").Skip(1).Select(int.Parse).Cast<int?>().FirstOrDefault();

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

await using var client = new DtiClient(address);
try
{
    var request = new TrainRequest
    {
        Name = name,
        Photos = await Task.WhenAll(photos.Select(path => Photo.ReadAsync(path, stop.Token))),
        Options = new TrainingOptions { Steps = steps, PreviewEvery = 0 },
        Overwrite = args.Contains("--overwrite"), // without it, an existing concept is kept and the call fails
        CancelOnDisconnect = true,
    };
    await foreach (var update in client.TrainAsync(request, cancellationToken: stop.Token))
    {
        Console.WriteLine(
            update switch
            {
                TrainingAccepted accepted =>
                    $"Job {accepted.JobId}: {accepted.Settings.Steps} steps on {accepted.Settings.Model}",
                TrainingQueued queued => $"{queued.Position} jobs ahead",
                TrainingProgress progress =>
                    $"{progress.Step}/{progress.TotalSteps}  loss {progress.LossAverage:F4}  {progress.AngleDegrees:F1}° from the start",
                TrainingWarning warning => warning.Message,
                TrainingResult result => $"Learnt {result.Placeholder} in {result.Elapsed.TotalSeconds:F0} s",
                TrainingCheck check => $"Step {check.Step}: held-out loss {check.HeldOutLoss:F4}",
                TrainingConnectionLost lost => $"Waiting for the server until {lost.Until.ToLocalTime():HH:mm}",
                _ => "…",
            }
        );
    }

    await foreach (
        var update in client.GenerateAsync(
            new GenerationOptions { Prompt = $"a photo of <{name}>", Steps = steps },
            cancellationToken: stop.Token
        )
    )
    {
        if (update is GeneratedPicture { Picture: var picture })
        {
            await File.WriteAllBytesAsync(name + picture.FileExtension, picture.Data.ToArray(), stop.Token);
            Console.WriteLine($"Drew {name}{picture.FileExtension}, {picture.Width}×{picture.Height}");
        }
    }

    return 0;
}
catch (DtiClientException refused)
{
    Console.Error.WriteLine(refused.Message);
    foreach (var violation in refused.FieldViolations)
    {
        Console.Error.WriteLine($"  {violation.Field}: {violation.Description}");
    }

    return 1;
}
catch (OperationCanceledException)
{
    return 130;
}
