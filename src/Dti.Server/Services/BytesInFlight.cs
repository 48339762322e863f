using Dti.Server.Configuration;

namespace Dti.Server.Services;

/// <summary>
/// The bytes of all requests that are being received or whose calls still hold them, under <see cref="DtiServerOptions.MaxBytesInFlight"/>. The last eighth is for small
/// requests, so that large ones cannot keep out a cancellation.
/// </summary>
internal sealed class BytesInFlight(DtiServerOptions options)
{
    private const long Small = 64 << 10; // bytes of a small request
    private readonly long _limit = options.BytesInFlight;
    private long _taken;

    /// <summary>Bytes that are taken now.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Begins an account for one request.</summary>
    public Account Open() => new(this);

    /// <summary>What one request holds. Disposed of when the call no longer needs it, at its end at the latest.</summary>
    internal sealed class Account(BytesInFlight all) : IDisposable
    {
        private long _own;
        private bool _closed;

        /// <summary>Takes more bytes.</summary>
        /// <returns>Whether there was room; if not, nothing was taken.</returns>
        public bool TryTake(long bytes)
        {
            lock (this)
            {
                if (_closed)
                {
                    return true;
                }

                var limit = _own + bytes > Small ? all._limit - (all._limit / 8) : all._limit;
                if (Interlocked.Add(ref all._taken, bytes) > limit)
                {
                    Interlocked.Add(ref all._taken, -bytes);
                    return false;
                }

                _own += bytes;
                return true;
            }
        }

        /// <summary>Gives all bytes back.</summary>
        public void Dispose()
        {
            lock (this)
            {
                _closed = true;
                Interlocked.Add(ref all._taken, -_own);
                _own = 0;
            }
        }
    }
}
