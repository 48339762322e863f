using Microsoft.Extensions.Hosting;

namespace Dti.Server.Security;

/// <summary>
/// The open streams. Whether their callers are still authorized is checked every <see cref="Period"/>: the stream of a
/// queued job has no events at which a revocation would be noticed.
/// </summary>
internal sealed class OpenStreams(TimeProvider time) : IHostedService, IDisposable
{
    /// <summary>How long a stream may continue after its token was revoked.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(0.8);

    private readonly Lock _lock = new();
    private readonly HashSet<Stream> _open = [];
    private ITimer? _timer;

    /// <summary>Adds a stream, which is checked until it is disposed of.</summary>
    /// <param name="isAuthorized">Whether its caller is still authorized.</param>
    /// <param name="cancellationToken">The caller disconnected.</param>
    public Stream Add(Func<bool> isAuthorized, CancellationToken cancellationToken)
    {
        var stream = new Stream(this, isAuthorized, cancellationToken);
        lock (_lock)
        {
            _open.Add(stream);
        }

        return stream;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(_ => EndRevoked(), null, Period, Period);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask; // streams end with the server

    public void Dispose() => _timer?.Dispose();

    private void EndRevoked()
    {
        Stream[] open;
        lock (_lock)
        {
            open = [.. _open];
        }

        foreach (var stream in open)
        {
            stream.EndIfRevoked();
        }
    }

    private void Remove(Stream stream)
    {
        lock (_lock)
        {
            _open.Remove(stream);
        }
    }

    /// <summary>One stream.</summary>
    internal sealed class Stream : IDisposable
    {
        private readonly OpenStreams _all;
        private readonly Func<bool> _isAuthorized;
        private readonly CancellationTokenSource _end;
        private readonly Lock _ending = new();
        private bool _over;

        public Stream(OpenStreams all, Func<bool> isAuthorized, CancellationToken cancellationToken)
        {
            (_all, _isAuthorized) = (all, isAuthorized);
            _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Token = _end.Token;
        }

        /// <summary>The caller disconnected, or is no longer authorized.</summary>
        public CancellationToken Token { get; }

        /// <summary>Whether the caller is no longer authorized.</summary>
        public bool IsRevoked { get; private set; }

        /// <inheritdoc/>
        public void Dispose()
        {
            _all.Remove(this);
            lock (_ending)
            {
                _over = true;
                _end.Dispose();
            }
        }

        /// <summary>Ends the stream if its caller is no longer authorized.</summary>
        public void EndIfRevoked()
        {
            if (_isAuthorized())
            {
                return;
            }

            lock (_ending)
            {
                if (!_over)
                {
                    IsRevoked = true;
                    _end.Cancel();
                }
            }
        }
    }
}
