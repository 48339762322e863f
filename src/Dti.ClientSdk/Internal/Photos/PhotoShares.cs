namespace Dti.ClientSdk.Internal.Photos;

/// <summary>
/// How many bytes each photo of a request may have, so that all fit into it. The Python client has the same rule.
/// </summary>
internal static class PhotoShares
{
    /// <summary>
    /// Bytes that photos and masks may have together: what a server accepts by default, with room for the other fields.
    /// </summary>
    public const long Limit = 63L * 1024 * 1024;

    /// <summary>
    /// The bytes that each photo may have. Photos below their equal share keep their size, and what they leave is
    /// divided among the larger ones.
    /// </summary>
    /// <param name="sizes">Bytes of each photo with its mask.</param>
    /// <param name="limit">Bytes of all of them.</param>
    /// <returns>The bytes of the largest photo that is sent as it is; <see cref="long.MaxValue"/> if all fit.</returns>
    public static long Of(IEnumerable<long> sizes, long limit = Limit)
    {
        var ascending = sizes.ToArray();
        Array.Sort(ascending);
        var left = limit;
        for (var i = 0; i < ascending.Length; i++)
        {
            var share = left / (ascending.Length - i);
            if (ascending[i] > share)
                return share;
            left -= ascending[i];
        }

        return long.MaxValue;
    }
}
