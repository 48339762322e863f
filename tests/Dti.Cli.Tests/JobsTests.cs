namespace Dti.Cli.Tests;

/// <summary>Jobs that another command began.</summary>
public class JobsTests(ServeFixture server)
{
    [Fact]
    public async Task Watch_JobThatDraws_IsFollowedLikeOneThatTrains()
    {
        var folder = server.NewFolder();
        var drawn = await server.RunAsync(
            folder,
            "generate",
            "a cat",
            "--width",
            "64",
            "--height",
            "64",
            "--steps",
            "2",
            "-o",
            "cat.png",
            "--json"
        );

        var watched = await server.RunAsync(
            folder,
            "jobs",
            "watch",
            drawn.Event("accepted").GetProperty("job_id").GetString()!,
            "--json"
        );

        Assert.Equal(ExitCode.Ok, watched.ExitCode);
        Assert.Equal(2, watched.EventsOf("progress").Count());
        watched.Event("result");
    }

    [Fact]
    public async Task Cancel_JobThatRuns_SaysThatItIsBeingCancelled()
    {
        var folder = server.NewFolder();
        using var drawing = DtiProcess.Start(
            folder,
            "generate",
            "a cat",
            "--width",
            "512",
            "--height",
            "512",
            "--steps",
            "1000",
            "-o",
            "cat.png",
            "--json",
            "--server",
            server.Address
        );
        string? id = null;
        for (var name = ""; name != "progress"; )
        {
            var line = await drawing.ReadEventAsync();
            name = line.GetProperty("event").GetString();
            id ??= line.GetProperty("job_id").GetString();
        }

        var cancelled = await server.RunAsync(folder, "jobs", "cancel", id!);

        Assert.Equal($"{id} is being cancelled; it stops with its step.", cancelled.Output.Trim());
        Assert.NotEqual(ExitCode.Ok, (await DtiProcess.EndAsync(drawing)).ExitCode);
    }
}
