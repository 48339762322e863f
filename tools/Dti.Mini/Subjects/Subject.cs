using Dti.Mini.World.Designs;

namespace Dti.Mini.Subjects;

/// <summary>A held-out design that is shown: its photos are in <c>samples</c>.</summary>
/// <param name="Name">The name of the concept and of the folder of its photos.</param>
/// <param name="Index">The design's number, <see cref="World.Designs.Design.HeldOut"/>.</param>
internal sealed record Subject(string Name, int Index)
{
    /// <summary>What it looks like.</summary>
    public Design Design => Design.HeldOut(Index);

    /// <summary>The word from which its training starts: that of its family.</summary>
    public string Initializer => Design.Word;
}
