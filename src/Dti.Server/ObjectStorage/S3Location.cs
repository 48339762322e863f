namespace Dti.Server.ObjectStorage;

/// <summary>A bucket and a prefix in it, written <c>s3://bucket/prefix</c>.</summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="Prefix">What keys begin with: empty, or it ends with a slash.</param>
internal sealed record S3Location(string Bucket, string Prefix)
{
    private const string Scheme = "s3://";

    /// <summary>Whether a location is one of S3.</summary>
    public static bool IsOne(string location) => location.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>Reads <c>s3://bucket/prefix</c>; null: it names no bucket.</summary>
    public static S3Location? Parse(string location)
    {
        var parts = location[Scheme.Length..].Split('/', 2);
        var prefix = parts.Length == 2 ? parts[1].Trim('/') : "";
        return
            parts[0].Length is >= 3 and <= 63
            && parts[0].All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_')
            ? new(parts[0], prefix.Length > 0 ? prefix + "/" : "")
            : null;
    }

    public override string ToString() => Scheme + Bucket + (Prefix.Length > 0 ? "/" + Prefix.TrimEnd('/') : "");
}
