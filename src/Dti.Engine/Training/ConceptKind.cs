namespace Dti.Engine.Training;

/// <summary>What the photos show; chooses the prompt templates.</summary>
public enum ConceptKind
{
    /// <summary>A thing, an animal, a person: "a photo of a {}".</summary>
    Object,

    /// <summary>A visual style: "a painting in the style of {}".</summary>
    Style,
}
