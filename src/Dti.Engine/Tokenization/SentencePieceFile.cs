using Dti.Engine.Runtime.Files;
using Google.Protobuf;

namespace Dti.Engine.Tokenization;

/// <summary>Kinds of pieces, numbered as in the file.</summary>
internal enum PieceType
{
    /// <summary>Text.</summary>
    Normal = 1,

    /// <summary>Stands for what no piece spells.</summary>
    Unknown = 2,

    /// <summary>Never in a text: <c>&lt;/s&gt;</c>.</summary>
    Control = 3,

    /// <summary>Text that is never cut.</summary>
    UserDefined = 4,

    /// <summary>Left over.</summary>
    Unused = 5,

    /// <summary>One byte of what no piece spells.</summary>
    Byte = 6,
}

/// <summary>A token of a SentencePiece model.</summary>
/// <param name="Text">Its text, with U+2581 for spaces.</param>
/// <param name="Score">Log probability.</param>
/// <param name="Type">Its kind.</param>
internal sealed record SentencePiece(string Text, float Score, PieceType Type);

/// <summary>Kinds of SentencePiece models, numbered as in the file.</summary>
internal enum SentencePieceKind
{
    /// <summary>The most probable segmentation. Surrounding spaces are removed, and one is put before the text.</summary>
    Unigram = 1,

    /// <summary>
    /// Byte-pair encoding of the text as it is; characters without a piece are spelt by pieces of their bytes.
    /// </summary>
    BytePairs = 2,
}

/// <summary>
/// What a <c>spiece.model</c> or <c>tokenizer.model</c> holds, as far as models without special rules need it
/// (sentencepiece_model.proto).
/// </summary>
internal sealed class SentencePieceFile
{
    private const int MaxBytes = 16 * 1024 * 1024;
    private const int MaxPieces = 1_000_000;
    private readonly SentencePieceKind _kind;

    private SentencePieceFile(CodedInputStream input, SentencePieceKind kind)
    {
        _kind = kind;
        ReadFields(input, field =>
        {
            switch (field)
            {
                case 1 when Pieces.Count < MaxPieces:
                    Pieces.Add(ReadPiece(Message(input)));
                    return true;
                case 2:
                    ReadTrainer(Message(input));
                    return true;
                case 3:
                    ReadNormalizer(Message(input));
                    return true;
                default:
                    return false;
            }
        });
    }

    /// <summary>The pieces by id.</summary>
    public List<SentencePiece> Pieces { get; } = [];

    /// <summary>What is replaced before a text is cut.</summary>
    public CharsMap CharsMap { get; private set; } = new([]);

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">The kind that it must be of.</param>
    /// <exception cref="DtiException">It is missing, too large, not a SentencePiece model, or one of another
    /// kind.</exception>
    public static SentencePieceFile Read(string path, SentencePieceKind kind = SentencePieceKind.Unigram)
    {
        try
        {
            using var stream = RegularFile.OpenRead(path);
            if (stream.Length > MaxBytes)
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{path} has {stream.Length} bytes; at most {MaxBytes} are read."
                );
            }

            using var input = new CodedInputStream(stream);
            var file = new SentencePieceFile(input, kind);
            return file.Pieces.Count > 0 ? file : throw new FormatException("it has no pieces");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DtiException(ErrorKind.FailedPrecondition, $"{path} is missing.", innerException: error);
        }
        catch (Exception error) when (error is FormatException or IOException or UnauthorizedAccessException)
        {
            // InvalidProtocolBufferException is an IOException.
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} is not a SentencePiece model that can be read: {error.Message}",
                innerException: error
            );
        }
    }

    private SentencePiece ReadPiece(CodedInputStream input)
    {
        var (text, score, type) = ("", 0f, PieceType.Normal);
        ReadFields(input, field =>
        {
            switch (field)
            {
                case 1:
                    text = input.ReadString();
                    return true;
                case 2:
                    score = input.ReadFloat();
                    return true;
                case 3:
                    type = (PieceType)input.ReadEnum();
                    return true;
                default:
                    return false;
            }
        });
        return _kind == SentencePieceKind.BytePairs || type is not (PieceType.UserDefined or PieceType.Byte)
            ? new SentencePiece(text, score, type)
            : throw new FormatException($"pieces of the kind {type}, as '{text}' is, are not supported");
    }

    private void ReadTrainer(CodedInputStream input) => ReadFields(input, field =>
        {
            if (field != 3)
            {
                return false;
            }

            var type = input.ReadEnum();
            return type == (int)_kind
                ? true
                : throw new FormatException($"model_type {type} is not supported; {(int)_kind}, {_kind}, is");
        });

    private void ReadNormalizer(CodedInputStream input) => ReadFields(input, field =>
        {
            switch (field)
            {
                case 2:
                    CharsMap = new CharsMap(input.ReadBytes().Span);
                    return true;
                case 3 or 4:
                    return input.ReadBool() == (_kind == SentencePieceKind.Unigram)
                        ? true
                        : throw new FormatException(
                            $"add_dummy_prefix and remove_extra_whitespaces must be {(_kind == SentencePieceKind.Unigram ? "true" : "false")}"
                        );
                case 5:
                    return input.ReadBool() ? true : throw new FormatException("escape_whitespaces must be true");
                default:
                    return false;
            }
        });

    private static CodedInputStream Message(CodedInputStream input) => input.ReadBytes().CreateCodedInput();

    /// <summary>
    /// Hands each field's number to its reader; one that is not read, which it says with false, is passed over.
    /// </summary>
    private static void ReadFields(CodedInputStream input, Func<int, bool> read)
    {
        while (input.ReadTag() is var tag && tag != 0)
        {
            if (!read(WireFormat.GetTagFieldNumber(tag)))
            {
                input.SkipLastField();
            }
        }
    }
}
