using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>The descriptions of all concepts in a folder, listed without reading every file. Not thread-safe.</summary>
internal interface IConceptList : IDisposable
{
    /// <summary>All readable descriptions, by file name. Callers share them and must not change them.</summary>
    IReadOnlyList<Concept> List();

    /// <summary>Reads what the first caller who lists them would have to wait for.</summary>
    /// <param name="alone">Runs a short action while nobody else uses this list.</param>
    /// <param name="cancellationToken">Ends it after a few files.</param>
    void ReadAhead(Action<Action> alone, CancellationToken cancellationToken);

    /// <summary>Changes a description by the library itself, while no other process changes the folder.</summary>
    /// <param name="name">Its file.</param>
    /// <param name="change">Changes it.</param>
    void Change(string name, Action change);
}
