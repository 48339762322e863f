namespace Dti.Engine.Training;

/// <summary>What the photos of a training take of memory, measured by their headers.</summary>
/// <param name="HeldBytes">Bytes of all photos and masks as training holds them.</param>
/// <param name="DecodingBytes">Bytes that decoding and resizing one photo takes in addition, of the largest.</param>
public sealed record TrainingSetSize(long HeldBytes, long DecodingBytes)
{
    /// <summary>Bytes at most at a time.</summary>
    public long PeakBytes => HeldBytes + DecodingBytes;
}
