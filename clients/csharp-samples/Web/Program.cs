// A page that learns a concept from uploaded photos, shows each step as it comes, and draws.
// Usage: Dti.WebSample [--urls http://localhost:5080] [--Dti:Address http://localhost:5171] [--Dti:Token …]

using System.Globalization;
using System.Runtime.CompilerServices;
using Dti.ClientSdk;

CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddDtiClient(
    builder.Configuration["Dti:Address"] ?? "http://localhost:5171",
    new DtiClientOptions { Token = builder.Configuration["Dti:Token"] }
);
var app = builder.Build();

app.MapGet("/", () =>
    Results.Stream(typeof(Program).Assembly.GetManifestResourceStream("index.html")!, "text/html; charset=utf-8")
);

app.MapGet("/concepts", async (DtiClient dti, CancellationToken leave) =>
    (await dti.ListConceptsAsync(leave)).Select(concept => concept.Placeholder)
);

// Server-sent events: the browser sees every step; when it goes away, the job goes on.
app.MapPost(
        "/concepts/{name}",
        (
            string name,
            IFormFileCollection photos,
            int? steps,
            bool? overwrite,
            DtiClient dti,
            CancellationToken leave
        ) => TypedResults.ServerSentEvents(TrainAsync(dti, name, photos, steps, overwrite ?? false, leave))
    )
    .DisableAntiforgery();

app.MapGet("/picture", async (string prompt, int? steps, DtiClient dti, CancellationToken leave) =>
{
    try
    {
        await foreach (
            var update in dti.GenerateAsync(
                new GenerationOptions { Prompt = prompt, Steps = steps },
                cancellationToken: leave
            )
        )
        {
            if (update is GeneratedPicture { Picture: var picture })
            {
                return Results.Bytes(picture.Data, picture.MediaType);
            }
        }

        return Results.NoContent();
    }
    catch (DtiClientException refused)
    {
        return Results.Problem(refused.Message, statusCode: StatusCodes.Status502BadGateway);
    }
});

app.Run();

static async IAsyncEnumerable<string> TrainAsync(
    DtiClient dti,
    string name,
    IFormFileCollection files,
    int? steps,
    bool overwrite,
    [EnumeratorCancellation] CancellationToken leave
)
{
    var photos = new List<Photo>();
    foreach (var file in files)
    {
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes, leave);
        photos.Add(new Photo(file.FileName, bytes.ToArray()));
    }

    var request = new TrainRequest
    {
        Name = name,
        Photos = photos,
        Options = new TrainingOptions { Steps = steps, PreviewEvery = 0 },
        Overwrite = overwrite,
    };
    var updates = dti.TrainAsync(request, cancellationToken: leave).GetAsyncEnumerator(leave);
    await using (updates)
    {
        while (true)
        {
            string line;
            try
            {
                if (!await updates.MoveNextAsync())
                {
                    yield break;
                }

                line = updates.Current switch
                {
                    TrainingProgress step => $"{step.Step}/{step.TotalSteps}, loss {step.LossAverage:F4}",
                    TrainingResult result => $"Learnt {result.Placeholder}.",
                    var other => other.GetType().Name,
                };
            }
            catch (DtiClientException refused)
            {
                line = refused.Message; // the next read ends the stream
            }

            yield return line;
        }
    }
}
