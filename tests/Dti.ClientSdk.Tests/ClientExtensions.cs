namespace Dti.ClientSdk.Tests;

internal static class ClientExtensions
{
    /// <summary>Trains a concept to its end.</summary>
    public static async Task<(TrainingAccepted Accepted, TrainingResult Result)> LearnAsync(
        this DtiClient client,
        string name,
        CancellationToken cancellationToken
    )
    {
        var updates = await client
            .TrainAsync(await ServerFixture.RequestAsync(name), null, cancellationToken)
            .ToListAsync(cancellationToken);
        return (Assert.IsType<TrainingAccepted>(updates[0]), Assert.IsType<TrainingResult>(updates[^1]));
    }
}
