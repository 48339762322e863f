using Asked = Dti.Engine.Training;
using Models = Dti.Engine.Models;

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
    private static readonly EnumPairs<V1.ConceptKind, Asked.ConceptKind> _kinds = new(
        (V1.ConceptKind.Object, Asked.ConceptKind.Object),
        (V1.ConceptKind.Style, Asked.ConceptKind.Style)
    );

    private static readonly EnumPairs<V1.TrainingMethod, Asked.TrainingMethod> _methods = new(
        (V1.TrainingMethod.Dti, Asked.TrainingMethod.Directional),
        (V1.TrainingMethod.Ti, Asked.TrainingMethod.TextualInversion),
        (V1.TrainingMethod.TiRescaled, Asked.TrainingMethod.Rescaled),
        (V1.TrainingMethod.TiRenormalized, Asked.TrainingMethod.Renormalized),
        (V1.TrainingMethod.TiSoftlyRenormalized, Asked.TrainingMethod.SoftlyRenormalized),
        (V1.TrainingMethod.CrossInit, Asked.TrainingMethod.CrossInit)
    );

    private static readonly EnumPairs<V1.LearningRateSchedule, Models.LearningRateSchedule> _learningRateSchedules =
        new(
            (V1.LearningRateSchedule.Constant, Models.LearningRateSchedule.Constant),
            (V1.LearningRateSchedule.Linear, Models.LearningRateSchedule.Linear),
            (V1.LearningRateSchedule.Cosine, Models.LearningRateSchedule.Cosine)
        );

    private static readonly EnumPairs<V1.TrainingStart, Models.TrainingStart> _starts = new(
        (V1.TrainingStart.Word, Models.TrainingStart.Word),
        (V1.TrainingStart.Photos, Models.TrainingStart.Photos)
    );

    private static readonly EnumPairs<V1.KappaSchedule, Asked.KappaSchedule> _kappaSchedules = new(
        (V1.KappaSchedule.Constant, Asked.KappaSchedule.Constant),
        (V1.KappaSchedule.Linear, Asked.KappaSchedule.Linear),
        (V1.KappaSchedule.Cosine, Asked.KappaSchedule.Cosine)
    );

    private static readonly EnumPairs<V1.Magnitude, Asked.MagnitudeChoice> _magnitudes = new(
        (V1.Magnitude.Mean, Asked.MagnitudeChoice.Mean),
        (V1.Magnitude.Median, Asked.MagnitudeChoice.Median),
        (V1.Magnitude.Min, Asked.MagnitudeChoice.Min),
        (V1.Magnitude.Max, Asked.MagnitudeChoice.Max),
        (V1.Magnitude.Initializer, Asked.MagnitudeChoice.Initializer),
        (V1.Magnitude.Value, Asked.MagnitudeChoice.Value)
    );

    private static readonly EnumPairs<V1.TrainingPreset, Asked.TrainingPreset> _presets = new(
        (V1.TrainingPreset.Fast, Asked.TrainingPreset.Fast),
        (V1.TrainingPreset.Balanced, Asked.TrainingPreset.Balanced),
        (V1.TrainingPreset.Faithful, Asked.TrainingPreset.Faithful)
    );

    private static readonly EnumPairs<V1.LearntEncoders, Asked.LearntEncoders> _learntEncoders = new(
        (V1.LearntEncoders.All, Asked.LearntEncoders.All),
        (V1.LearntEncoders.First, Asked.LearntEncoders.First),
        (V1.LearntEncoders.Second, Asked.LearntEncoders.Second)
    );

    private static readonly EnumPairs<V1.PromptSyntax, Engine.Generation.PromptSyntax> _promptSyntaxes = new(
        (V1.PromptSyntax.Weighted, Engine.Generation.PromptSyntax.Weighted),
        (V1.PromptSyntax.Plain, Engine.Generation.PromptSyntax.Plain)
    );

    private static readonly EnumPairs<V1.LongPrompts, Engine.Generation.LongPrompts> _longPrompts = new(
        (V1.LongPrompts.Chunks, Engine.Generation.LongPrompts.Chunks),
        (V1.LongPrompts.Cut, Engine.Generation.LongPrompts.Cut)
    );

    public static Asked.ConceptKind? ToEngine(this V1.ConceptKind value) => _kinds.ToEngine(value);

    public static V1.ConceptKind ToMessage(this Asked.ConceptKind value) => _kinds.ToMessage(value);

    public static Asked.TrainingMethod? ToEngine(this V1.TrainingMethod value) => _methods.ToEngine(value);

    public static V1.TrainingMethod ToMessage(this Asked.TrainingMethod value) => _methods.ToMessage(value);

    public static Models.LearningRateSchedule? ToEngine(this V1.LearningRateSchedule value) =>
        _learningRateSchedules.ToEngine(value);

    public static V1.LearningRateSchedule ToMessage(this Models.LearningRateSchedule value) =>
        _learningRateSchedules.ToMessage(value);

    public static Models.TrainingStart? ToEngine(this V1.TrainingStart value) => _starts.ToEngine(value);

    public static V1.TrainingStart ToMessage(this Models.TrainingStart value) => _starts.ToMessage(value);

    public static Asked.KappaSchedule? ToEngine(this V1.KappaSchedule value) => _kappaSchedules.ToEngine(value);

    public static V1.KappaSchedule ToMessage(this Asked.KappaSchedule value) => _kappaSchedules.ToMessage(value);

    public static Asked.MagnitudeChoice? ToEngine(this V1.Magnitude value) => _magnitudes.ToEngine(value);

    public static V1.Magnitude ToMessage(this Asked.MagnitudeChoice value) => _magnitudes.ToMessage(value);

    public static Asked.TrainingPreset? ToEngine(this V1.TrainingPreset value) => _presets.ToEngine(value);

    public static V1.TrainingPreset ToMessage(this Asked.TrainingPreset value) => _presets.ToMessage(value);

    public static Asked.LearntEncoders? ToEngine(this V1.LearntEncoders value) => _learntEncoders.ToEngine(value);

    public static V1.LearntEncoders ToMessage(this Asked.LearntEncoders value) => _learntEncoders.ToMessage(value);

    public static Engine.Generation.PromptSyntax? ToEngine(this V1.PromptSyntax value) =>
        _promptSyntaxes.ToEngine(value);

    public static V1.PromptSyntax ToMessage(this Engine.Generation.PromptSyntax value) =>
        _promptSyntaxes.ToMessage(value);

    public static Engine.Generation.LongPrompts? ToEngine(this V1.LongPrompts value) => _longPrompts.ToEngine(value);

    public static V1.LongPrompts ToMessage(this Engine.Generation.LongPrompts value) => _longPrompts.ToMessage(value);
}
