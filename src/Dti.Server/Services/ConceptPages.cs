using Dti.Engine;
using Dti.V1;

namespace Dti.Server.Services;

/// <summary>
/// Pages of a list of concepts. A page has as many concepts as asked for, and at most as many bytes as every client of
/// gRPC takes by default.
/// </summary>
internal static class ConceptPages
{
    private const int Most = 1000;
    private const int MaxBytes = 2 << 20; // clients take 4 MiB; a description has at most one

    /// <summary>The page that begins after a place.</summary>
    /// <param name="all">All concepts in the order of their list.</param>
    /// <param name="size">Concepts asked for; 0: as many as there may be.</param>
    /// <param name="token">The place; empty: the beginning.</param>
    /// <exception cref="DtiException">The size or the token is wrong.</exception>
    public static ConceptServiceListResponse Of(IReadOnlyList<Concept> all, int size, string token)
    {
        if (size is < 0 or > Most)
        {
            throw new ValidationException([
                new FieldViolation("page_size", $"page_size is {size}; it must be from 1 to {Most}, or 0 for {Most}."),
            ]);
        }

        var response = new ConceptServiceListResponse();
        var bytes = 0;
        for (var at = Start(all, token); at < all.Count; at++)
        {
            bytes += all[at].CalculateSize();
            if (
                response.Concepts.Count > 0
                && (response.Concepts.Count >= (size == 0 ? Most : size) || bytes > MaxBytes)
            )
            {
                response.NextPageToken = response.Concepts[^1].Name;
                break;
            }

            response.Concepts.Add(all[at]);
        }

        return response;
    }

    // The name of the last concept of the page before. If that was deleted meanwhile, the page begins at the first name
    // after it.
    private static int Start(IReadOnlyList<Concept> all, string token)
    {
        if (token.Length == 0)
        {
            return 0;
        }

        for (var at = 0; at < all.Count; at++)
        {
            if (all[at].Name == token)
            {
                return at + 1;
            }
        }

        var next = 0;
        while (next < all.Count && string.CompareOrdinal(all[next].Name, token) < 0)
        {
            next++;
        }

        return next;
    }
}
