using Dti.Server.Configuration;
using Dti.Server.Security;

namespace Dti.Server.Services;

/// <summary>
/// The bytes of all requests that are being received or whose calls still hold them, under
/// <see cref="DtiServerOptions.MaxBytesInFlight"/>. The last eighth is for small requests, so that large ones cannot
/// keep out a cancellation, and a caller with a token or a certificate has half at most.
/// </summary>
internal sealed class BytesInFlight(DtiServerOptions options)
{
    private const long Small = 64 << 10; // bytes of a small request
    private readonly long _limit = options.BytesInFlight;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _callers = new(StringComparer.Ordinal);
    private long _taken;

    /// <summary>Bytes that are taken now.</summary>
    public long Taken
    {
        get
        {
            lock (_lock)
            {
                return _taken;
            }
        }
    }

    /// <summary>Begins an account for one request.</summary>
    /// <param name="caller">Whose request it is.</param>
    public Account Open(string caller = Caller.LocalId) => new(this, caller);

    /// <summary>
    /// What one request holds. Disposed of when the call no longer needs it, at its end at the latest.
    /// </summary>
    internal sealed class Account(BytesInFlight all, string caller) : IDisposable
    {
        private long _own;
        private bool _closed;

        /// <summary>Takes more bytes.</summary>
        /// <returns>Whether there was room; if not, nothing was taken.</returns>
        public bool TryTake(long bytes)
        {
            lock (all._lock)
            {
                if (_closed)
                {
                    return true;
                }

                var limit = _own + bytes > Small ? all._limit - (all._limit / 8) : all._limit;
                var callers = all._callers.GetValueOrDefault(caller) + bytes;
                if (all._taken + bytes > limit || (caller != Caller.LocalId && callers > all._limit / 2))
                {
                    return false;
                }

                all._taken += bytes;
                all._callers[caller] = callers;
                _own += bytes;
                return true;
            }
        }

        /// <summary>Gives all bytes back.</summary>
        public void Dispose()
        {
            lock (all._lock)
            {
                _closed = true;
                all._taken -= _own;
                if (all._callers.TryGetValue(caller, out var callers))
                {
                    all._callers[caller] = callers - _own;
                    if (callers == _own)
                    {
                        all._callers.Remove(caller);
                    }
                }

                _own = 0;
            }
        }
    }
}
