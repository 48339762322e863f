namespace Dti.Engine.Models;

/// <summary>Where the embedding of a concept starts when no other concept is named.</summary>
public enum TrainingStart
{
    /// <summary>At the token embeddings of the initializer.</summary>
    Word,

    /// <summary>
    /// At the direction that the model's photo encoder predicts from the photos, with magnitude m. Every vector starts
    /// there.
    /// </summary>
    Photos,
}
