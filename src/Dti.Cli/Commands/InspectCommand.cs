using System.CommandLine;
using System.Globalization;

namespace Dti.Cli.Commands;

/// <summary><c>dti inspect</c>: what a concept's vectors are, compared with the vocabulary of a model.</summary>
internal static class InspectCommand
{
    public static Command Create(CommonOptions common)
    {
        var name = new Argument<string>("concept") { Description = "Name of the concept." };
        var model = new Option<string?>("--model")
        {
            Description = "Model to compare with. Default: the one it was learnt with.",
            HelpName = "name",
        };
        var nearest = new Option<int>("--nearest")
        {
            Description = "Near words to name for each vector.",
            HelpName = "n",
            DefaultValueFactory = _ => 8,
        };
        var command = new Command(
            "inspect",
            "A concept's norm, its angle to the initial word, the nearest words, and how well its position can still be read."
        )
        {
            name,
            model,
            nearest,
        };
        Examples.Add(command, "dti inspect my-cat", "dti inspect my-cat --model stable-diffusion-v1-5 --nearest 20");
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var found = await connection
                    .Client.InspectConceptAsync(
                        context.Get(name),
                        context.Get(model),
                        context.Get(nearest),
                        context.CancellationToken
                    )
                    .ConfigureAwait(false);
                context.Output.Event("inspection", found);
                context.Output.Line(
                    $"Words of {found.Model}: norm {Number(found.VocabularyNormMean)} ({Number(found.VocabularyNormMin)} to {Number(found.VocabularyNormMax)}), "
                        + $"position readable to {Percent(found.VocabularyPositionReadability)}."
                );
                context.Output.Table(
                    [
                        "VECTOR",
                        "NORM",
                        found.Initializer.Length > 0 ? $"ANGLE TO '{found.Initializer}'" : "ANGLE",
                        "POSITION",
                        "NEAREST WORDS",
                    ],
                    found.Vectors.Select(
                        (vector, i) =>
                            (IReadOnlyList<string>)
                                [
                                    i.ToString(CultureInfo.InvariantCulture),
                                    Number(vector.Norm),
                                    vector.AngleDegrees is { } angle
                                        ? angle.ToString("F1", CultureInfo.InvariantCulture) + "°"
                                        : "unknown",
                                    Percent(vector.PositionReadability),
                                    string.Join(
                                        "  ",
                                        vector.Nearest.Select(near =>
                                            $"{near.Token} {near.Cosine.ToString("F2", CultureInfo.InvariantCulture)}"
                                        )
                                    ),
                                ]
                    )
                );
            }
        });
        return command;
    }

    private static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    private static string Percent(double share) => share.ToString("P1", CultureInfo.InvariantCulture);
}
