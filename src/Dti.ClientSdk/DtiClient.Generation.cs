using Dti.ClientSdk.Internal;

namespace Dti.ClientSdk;

public sealed partial class DtiClient
{
    /// <summary>Draws pictures from a prompt. Stops when the sequence is left or cancelled.</summary>
    /// <param name="options">The prompt, and what else to ask for.</param>
    /// <param name="deadline">UTC time at which to give up; null: never.</param>
    /// <param name="cancellationToken">Stops the work within one sampling step.</param>
    /// <returns><see cref="GenerationAccepted"/> first, one <see cref="GeneratedPicture"/> per picture, <see cref="GenerationResult"/> last.</returns>
    /// <exception cref="DtiClientException">The server refused the request, or the connection was lost.</exception>
    public IAsyncEnumerable<GenerationUpdate> GenerateAsync(
        GenerationOptions options, DateTime? deadline = null, CancellationToken cancellationToken = default)
    {
        var message = new V1.GenerateRequest { Options = ToProto.Message(options) };
        return Streams.ReadAsync(token => _dti.Generate(message, Streaming(deadline, token)), FromProto.Update, deadline, cancellationToken);
    }

    /// <summary>Draws pictures along the great circle between two concepts. Stops when the sequence is left or cancelled.</summary>
    /// <param name="request">Which concepts, how many pictures, and what else to ask for.</param>
    /// <param name="deadline">UTC time at which to give up; null: never.</param>
    /// <param name="cancellationToken">Stops the work within one sampling step.</param>
    /// <returns><see cref="InterpolationAccepted"/> first, one <see cref="GeneratedPicture"/> per frame, <see cref="GenerationResult"/> last.</returns>
    /// <exception cref="DtiClientException">The server refused the request, or the connection was lost.</exception>
    public IAsyncEnumerable<GenerationUpdate> InterpolateAsync(
        InterpolateRequest request, DateTime? deadline = null, CancellationToken cancellationToken = default)
    {
        var message = ToProto.Message(request);
        return Streams.ReadAsync(token => _dti.Interpolate(message, Streaming(deadline, token)), FromProto.Update, deadline, cancellationToken);
    }
}
