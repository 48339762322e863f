using System.Buffers;
using System.IO.Pipelines;

namespace Dti.Server.Services;

/// <summary>Why a body was not received.</summary>
internal enum BodyProblem
{
    None,

    /// <summary>It is larger than the call takes.</summary>
    TooLarge,

    /// <summary>All requests together hold as much as they may.</summary>
    NoRoom,
}

/// <summary>
/// A request's body, received in pieces that are charged to <see cref="BytesInFlight"/> before they are kept.
/// </summary>
internal sealed class RequestBody
{
    private const int FirstPiece = 4 << 10;
    private const int LargestPiece = 1 << 20;
    private Piece? _first;
    private Piece? _last;
    private int _used; // bytes of the last piece

    /// <summary>Bytes received.</summary>
    public long Length { get; private set; }

    /// <summary>All that was received.</summary>
    public ReadOnlySequence<byte> Bytes => _first is null ? default : new(_first, 0, _last!, _used);

    /// <summary>Receives a body to its end.</summary>
    /// <param name="reader">Where it comes from.</param>
    /// <param name="maxBytes">The most that is received.</param>
    /// <param name="account">What it is charged to.</param>
    /// <param name="cancellationToken">The caller disconnected.</param>
    public async Task<BodyProblem> ReceiveAsync(
        PipeReader reader,
        long maxBytes,
        BytesInFlight.Account account,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var problem =
                Length + result.Buffer.Length > maxBytes ? BodyProblem.TooLarge
                : TryAdd(result.Buffer, account) ? BodyProblem.None
                : BodyProblem.NoRoom;
            reader.AdvanceTo(result.Buffer.End);
            if (problem != BodyProblem.None || result.IsCompleted)
            {
                return problem;
            }
        }
    }

    /// <summary>Receives what a stream gives to its end.</summary>
    /// <inheritdoc cref="ReceiveAsync"/>
    public BodyProblem Receive(Stream stream, long maxBytes, BytesInFlight.Account account)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            while (stream.Read(buffer) is > 0 and var read)
            {
                if (Length + read > maxBytes)
                {
                    return BodyProblem.TooLarge;
                }

                if (!TryAdd(new ReadOnlySequence<byte>(buffer, 0, read), account))
                {
                    return BodyProblem.NoRoom;
                }
            }

            return BodyProblem.None;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool TryAdd(ReadOnlySequence<byte> bytes, BytesInFlight.Account account)
    {
        if (!account.TryTake(bytes.Length))
        {
            return false;
        }

        foreach (var memory in bytes)
        {
            for (var rest = memory.Span; rest.Length > 0; )
            {
                if (_last is null || _used == _last.Array.Length)
                {
                    _last = new Piece(_last, (int)Math.Clamp(Length, FirstPiece, LargestPiece));
                    _first ??= _last;
                    _used = 0;
                }

                var count = Math.Min(rest.Length, _last.Array.Length - _used);
                rest[..count].CopyTo(_last.Array.AsSpan(_used));
                rest = rest[count..];
                (_used, Length) = (_used + count, Length + count);
            }
        }

        return true;
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(Piece? before, int length)
        {
            Array = GC.AllocateUninitializedArray<byte>(length);
            Memory = Array;
            if (before is not null)
            {
                RunningIndex = before.RunningIndex + before.Array.Length;
                before.Next = this;
            }
        }

        public byte[] Array { get; }
    }
}
