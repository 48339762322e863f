using Microsoft.Extensions.Hosting;

namespace Dti.Server.Security;

/// <summary>
/// The streams of callers that are open. Each second it is checked whether their callers may still call: the stream of
/// a job that waits has no events at which that would be noticed.
/// </summary>
internal sealed class OpenStreams(TimeProvider time) : IHostedService, IDisposable
{
    /// <summary>How long a stream may go on after its token was revoked.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(0.8);

    private readonly Lock _lock = new();
    private readonly HashSet<Stream> _open = [];
    private ITimer? _timer;

    /// <summary>Watches a stream until it is disposed of.</summary>
    /// <param name="mayGoOn">Whether its caller may still call.</param>
    /// <param name="cancellationToken">The caller went away.</param>
    public Stream Enter(Func<bool> mayGoOn, CancellationToken cancellationToken)
    {
        var stream = new Stream(this, mayGoOn, cancellationToken);
        lock (_lock)
        {
            _open.Add(stream);
        }

        return stream;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(_ => Look(), null, Period, Period);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask; // streams end with the server

    public void Dispose() => _timer?.Dispose();

    private void Look()
    {
        Stream[] open;
        lock (_lock)
        {
            open = [.. _open];
        }

        foreach (var stream in open)
        {
            stream.Look();
        }
    }

    private void Leave(Stream stream)
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
        private readonly Func<bool> _mayGoOn;
        private readonly CancellationTokenSource _end;
        private readonly Lock _ending = new();
        private bool _over;

        public Stream(OpenStreams all, Func<bool> mayGoOn, CancellationToken cancellationToken)
        {
            (_all, _mayGoOn) = (all, mayGoOn);
            _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Token = _end.Token;
        }

        /// <summary>The caller went away, or may no longer call.</summary>
        public CancellationToken Token { get; }

        /// <summary>Whether the caller may no longer call.</summary>
        public bool IsRevoked { get; private set; }

        /// <inheritdoc/>
        public void Dispose()
        {
            _all.Leave(this);
            lock (_ending)
            {
                _over = true;
                _end.Dispose();
            }
        }

        /// <summary>Ends the stream if its caller may no longer call.</summary>
        public void Look()
        {
            if (_mayGoOn())
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
