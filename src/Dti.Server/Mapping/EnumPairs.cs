using Asked = Dti.Engine.Training;

namespace Dti.Server.Mapping;

/// <summary>An enumeration of the contract and the engine's of the same meaning: one table for both ways.</summary>
/// <param name="pairs">Every member but the unspecified one.</param>
internal sealed class EnumPairs<TMessage, TEngine>(params (TMessage Message, TEngine Engine)[] pairs)
    where TMessage : struct, Enum
    where TEngine : struct, Enum
{
    /// <summary>Null: unspecified.</summary>
    public TEngine? ToEngine(TMessage value) =>
        Array.FindIndex(pairs, pair => pair.Message.Equals(value)) is >= 0 and var at ? pairs[at].Engine : null;

    public TMessage ToMessage(TEngine value) => pairs.Single(pair => pair.Engine.Equals(value)).Message;
}

/// <summary>The enumerations that go both ways.</summary>
internal static class EnumPairs
{
    public static EnumPairs<V1.ConceptKind, Asked.ConceptKind> Kinds { get; } =
        new((V1.ConceptKind.Object, Asked.ConceptKind.Object), (V1.ConceptKind.Style, Asked.ConceptKind.Style));

    public static EnumPairs<V1.TrainingMethod, Asked.TrainingMethod> Methods { get; } =
        new(
            (V1.TrainingMethod.Dti, Asked.TrainingMethod.Directional),
            (V1.TrainingMethod.Ti, Asked.TrainingMethod.TextualInversion),
            (V1.TrainingMethod.TiRescaled, Asked.TrainingMethod.Rescaled),
            (V1.TrainingMethod.TiRenormalized, Asked.TrainingMethod.Renormalized),
            (V1.TrainingMethod.TiSoftlyRenormalized, Asked.TrainingMethod.SoftlyRenormalized),
            (V1.TrainingMethod.CrossInit, Asked.TrainingMethod.CrossInit)
        );

    public static EnumPairs<V1.KappaSchedule, Asked.KappaSchedule> KappaSchedules { get; } =
        new(
            (V1.KappaSchedule.Constant, Asked.KappaSchedule.Constant),
            (V1.KappaSchedule.Linear, Asked.KappaSchedule.Linear),
            (V1.KappaSchedule.Cosine, Asked.KappaSchedule.Cosine)
        );

    public static EnumPairs<V1.Magnitude, Asked.MagnitudeChoice> Magnitudes { get; } =
        new(
            (V1.Magnitude.Mean, Asked.MagnitudeChoice.Mean),
            (V1.Magnitude.Median, Asked.MagnitudeChoice.Median),
            (V1.Magnitude.Min, Asked.MagnitudeChoice.Min),
            (V1.Magnitude.Max, Asked.MagnitudeChoice.Max),
            (V1.Magnitude.Initializer, Asked.MagnitudeChoice.Initializer),
            (V1.Magnitude.Value, Asked.MagnitudeChoice.Value)
        );

    public static EnumPairs<V1.TrainingPreset, Asked.TrainingPreset> Presets { get; } =
        new(
            (V1.TrainingPreset.Fast, Asked.TrainingPreset.Fast),
            (V1.TrainingPreset.Balanced, Asked.TrainingPreset.Balanced),
            (V1.TrainingPreset.Faithful, Asked.TrainingPreset.Faithful)
        );

    public static EnumPairs<V1.LearntEncoders, Asked.LearntEncoders> LearntEncoders { get; } =
        new(
            (V1.LearntEncoders.All, Asked.LearntEncoders.All),
            (V1.LearntEncoders.First, Asked.LearntEncoders.First),
            (V1.LearntEncoders.Second, Asked.LearntEncoders.Second)
        );

    public static EnumPairs<V1.PromptSyntax, Engine.Generation.PromptSyntax> PromptSyntaxes { get; } =
        new(
            (V1.PromptSyntax.Weighted, Engine.Generation.PromptSyntax.Weighted),
            (V1.PromptSyntax.Plain, Engine.Generation.PromptSyntax.Plain)
        );

    public static EnumPairs<V1.LongPrompts, Engine.Generation.LongPrompts> LongPrompts { get; } =
        new(
            (V1.LongPrompts.Chunks, Engine.Generation.LongPrompts.Chunks),
            (V1.LongPrompts.Cut, Engine.Generation.LongPrompts.Cut)
        );
}
