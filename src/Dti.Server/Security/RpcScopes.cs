using System.Collections.Frozen;

namespace Dti.Server.Security;

/// <summary>
/// Which right each call needs. A call that is missing here keeps the server from starting; a test compares the table
/// with the contract.
/// </summary>
internal static class RpcScopes
{
    private static readonly FrozenDictionary<string, Scopes> _table = new Dictionary<string, Scopes>
    {
        ["dti.v1.DtiService/Train"] = Scopes.Train,
        ["dti.v1.DtiService/Generate"] = Scopes.Generate,
        ["dti.v1.DtiService/Interpolate"] = Scopes.Generate,

        // A caller that may start a job may also watch and cancel it.
        ["dti.v1.JobService/Get"] = Scopes.Read | Scopes.Generate | Scopes.Train,
        ["dti.v1.JobService/List"] = Scopes.Read | Scopes.Generate | Scopes.Train,
        ["dti.v1.JobService/Watch"] = Scopes.Read | Scopes.Generate | Scopes.Train,
        ["dti.v1.JobService/Cancel"] = Scopes.Generate | Scopes.Train,

        ["dti.v1.ConceptService/List"] = Scopes.Read,
        ["dti.v1.ConceptService/Get"] = Scopes.Read,
        ["dti.v1.ConceptService/Inspect"] = Scopes.Read,
        ["dti.v1.ConceptService/Export"] = Scopes.Read,
        ["dti.v1.ConceptService/ListVersions"] = Scopes.Read,
        ["dti.v1.ConceptService/Restore"] = Scopes.Train,
        ["dti.v1.ConceptService/Import"] = Scopes.Train,
        ["dti.v1.ConceptService/Delete"] = Scopes.Train,
        ["dti.v1.ConceptService/Install"] = Scopes.Admin, // writes into a folder of the operator's ComfyUI

        ["dti.v1.ModelService/List"] = Scopes.Read,
        ["dti.v1.ModelService/Get"] = Scopes.Read,
        ["dti.v1.ServerService/Get"] = Scopes.Read,

        ["dti.v1.ClusterService/Get"] = Scopes.Admin,

        // Load balancers have no token, and all they learn is whether the server serves.
        ["grpc.health.v1.Health/Check"] = Scopes.None,
        ["grpc.health.v1.Health/Watch"] = Scopes.None,

        // The contract is public, but only callers need reflection.
        ["grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = Scopes.Any,
        ["grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = Scopes.Any,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every call that the table knows, as <c>package.Service/Method</c>.</summary>
    public static IEnumerable<string> Methods => _table.Keys;

    /// <summary>The rights of which a call needs one; <see cref="Scopes.None"/>: none at all.</summary>
    /// <param name="method">The call, as <c>/package.Service/Method</c> or without the first slash.</param>
    /// <exception cref="InvalidOperationException">The table does not know the call.</exception>
    public static Scopes Of(string method) =>
        _table.TryGetValue(method.TrimStart('/'), out var scopes)
            ? scopes
            : throw new InvalidOperationException($"{method} has no scope; give it one in {nameof(RpcScopes)}.");
}
