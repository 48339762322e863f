using System.CommandLine;
using System.Globalization;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.ClientSdk;

namespace Dti.Cli.Commands;

/// <summary>The settings of <c>dti train</c>; one that is not given takes the server's default.</summary>
internal sealed class TrainingOptionSet
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "Model to learn with (dti models list).",
        HelpName = "name",
    };
    private readonly Option<ConceptKind?> _kind = new("--kind")
    {
        Description = "What the photos show. Default: object.",
    };
    private readonly Option<string?> _method = new("--method")
    {
        Description = $"dti, or to compare: {string.Join(", ", MethodNames.All[1..])}. Default: dti.",
        HelpName = "name",
    };
    private readonly Option<string?> _placeholder = new("--placeholder")
    {
        Description = "What stands for the concept in prompts. Default: <name>.",
        HelpName = "<word>",
    };
    private readonly Option<string?> _initializer = new("--initializer")
    {
        Description = "Word or phrase to start from, such as cat. Default: object, or painting for styles.",
        HelpName = "word",
    };
    private readonly Option<TrainingPreset?> _preset = new("--preset")
    {
        Description = "fast: half of the model's steps; faithful: twice, as like as it gets. Default: balanced.",
    };
    private readonly Option<double?> _obedience = new("--obedience")
    {
        Description = "From likeness to the photos, 0, to obedience to long prompts, 1: sets κ. Default: 0.5.",
        HelpName = "0 to 1",
    };
    private readonly Option<string?> _from = new("--from")
    {
        Description = "Concept in the library from whose vectors training starts, instead of the initializer.",
        HelpName = "concept",
    };
    private readonly Option<FileInfo?> _templates = new("--templates")
    {
        Description =
            "Text file of prompts to train with, one a line; {concept} says where it is named. Default: those of the kind.",
        HelpName = "file",
    };
    private readonly Option<bool?> _alpha = new("--use-alpha")
    {
        Description = "What is transparent in a photo is not learnt.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<LearntEncoders?> _encoders = new("--text-encoders")
    {
        Description = "Which of SDXL's text encoders learn. Default: all.",
    };
    private readonly Option<bool?> _stopEarly = new("--stop-early")
    {
        Description = "Stop where nothing more is learnt, and keep the best.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<int?> _checkEvery = new("--check-every")
    {
        Description =
            "Measure the concept deterministically every so many steps; 0: never. Default: 0, or 25 to stop early.",
        HelpName = "n",
    };
    private readonly Option<bool?> _previewBaseline = new("--preview-baseline")
    {
        Description =
            "Generate the previews once before the first step too, with the initializer in the concept's place.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<int?> _snapshotEvery = new("--snapshot-every")
    {
        Description = "Keep a snapshot every so many steps, to resume from; 0: only the newest. Default: 100.",
        HelpName = "n",
    };
    private readonly Option<int?> _vectors = new("--vectors")
    {
        Description = "Number of vectors, 1 to 32. Default: one per token of the initializer.",
        HelpName = "n",
    };
    private readonly Option<int?> _steps = new("--steps")
    {
        Description = "Optimiser steps. Default: what suits the model, else 500.",
        HelpName = "n",
    };
    private readonly Option<int?> _batch = new("--batch")
    {
        Description = "Photos of a batch. Default: 4.",
        HelpName = "n",
    };
    private readonly Option<int?> _accumulation = new("--accumulation")
    {
        Description = "Batches averaged into one step: as many times the photos in the memory of one. Default: 1.",
        HelpName = "n",
    };
    private readonly Option<double?> _learningRate = new("--learning-rate")
    {
        Description = "Step length on the sphere, above 0 and at most 1. Default: what suits the model, else 0.01.",
        HelpName = "η",
    };
    private readonly Option<double?> _kappa = new("--kappa")
    {
        Description = "Strength of the prior that holds to the start. Default: what suits the model, else 1e-4.",
        HelpName = "κ",
    };
    private readonly Option<KappaSchedule?> _kappaSchedule = new("--kappa-schedule")
    {
        Description = "How κ goes over the run. Default: constant.",
    };
    private readonly Option<double?> _regularization = new("--regularization")
    {
        Description = "Pull toward the start, for the other methods. Default: 0.",
        HelpName = "λ",
    };
    private readonly Option<double?> _beta = new("--beta")
    {
        Description = "Memory of the gradient's norm, 0 to below 1. Default: 0.",
        HelpName = "β",
    };
    private readonly Option<string?> _magnitude = new("--magnitude")
    {
        Description =
            "Norm of the embedding: mean, median, min or max of the vocabulary's, the initializer's own, or a number. Default: mean.",
        HelpName = "mean|median|min|max|initializer|number",
    };
    private readonly Option<int?> _resolution = new("--resolution")
    {
        Description = "Side of the square crops in pixels. Default: the model's own.",
        HelpName = "pixels",
    };
    private readonly Option<bool?> _centerCrop = new("--center-crop")
    {
        Description = "Crop the centre instead of a random place.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<bool?> _randomFlip = new("--random-flip")
    {
        Description = "Mirror half of the crops.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<ulong?> _seed = new("--seed")
    {
        Description = "Seed of every random choice. Default: chosen and shown.",
        HelpName = "n",
    };
    private readonly Option<int?> _previewEvery = new("--preview-every")
    {
        Description = "Generate previews every so many steps; 0: never. Default: 100.",
        HelpName = "n",
    };
    private readonly Option<string[]> _previewPrompts = new("--preview-prompt")
    {
        Description = "Prompt of the previews; {concept} stands for the concept. Repeatable.",
        HelpName = "prompt",
    };
    private readonly Option<int?> _previewSteps = new("--preview-steps")
    {
        Description = "Sampling steps of a preview. Default: 20.",
        HelpName = "n",
    };
    private readonly Option<string?> _vae = new("--vae")
    {
        Description = "Autoencoder that takes the place of the model's own (dti models list).",
        HelpName = "name",
    };
    private readonly Option<string?> _prediction = new("--prediction-type")
    {
        Description = "What the model predicts: epsilon or v_prediction. Default: what it says itself.",
        HelpName = "type",
    };
    private readonly Option<string?> _dtype = new("--dtype")
    {
        Description = "auto, fp32, bf16 or fp16. Default: auto.",
        HelpName = "type",
    };

    public TrainingOptionSet()
    {
        _kind.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "object", "style");
        _kappaSchedule.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "constant", "linear", "cosine");
        _preset.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "fast", "balanced", "faithful");
        _encoders.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "all", "first", "second");
        _method.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, MethodNames.All);
    }

    public void AddTo(Command command)
    {
        foreach (
            var option in new Option[]
            {
                _kind,
                _preset,
                _obedience,
                _initializer,
                _from,
                _templates,
                _alpha,
                _encoders,
                _steps,
                _batch,
                _accumulation,
                _learningRate,
                _kappa,
                _kappaSchedule,
                _beta,
                _magnitude,
                _vectors,
                _resolution,
                _centerCrop,
                _randomFlip,
                _stopEarly,
                _checkEvery,
                _snapshotEvery,
                _seed,
                _model,
                _vae,
                _prediction,
                _dtype,
                _placeholder,
                _method,
                _regularization,
                _previewEvery,
                _previewPrompts,
                _previewSteps,
                _previewBaseline,
            }
        )
            command.Add(option);
    }

    public TrainingOptions Read(CommandContext context)
    {
        var (magnitude, magnitudeValue) = ReadMagnitude(context.Get(_magnitude));
        return new TrainingOptions
        {
            Model = context.Get(_model),
            Kind = context.Get(_kind),
            Method = MethodNames.Read(context.Get(_method)),
            Placeholder = context.Get(_placeholder),
            Initializer = context.Get(_initializer),
            StartConcept = context.Get(_from),
            Templates = context.Get(_templates) is { } file ? TemplateFile.Read(file.FullName) : [],
            UseAlpha = context.Get(_alpha),
            TextEncoders = context.Get(_encoders),
            Preset = context.Get(_preset),
            Obedience = context.Get(_obedience),
            StopEarly = context.Get(_stopEarly),
            CheckEvery = context.Get(_checkEvery),
            PreviewBaseline = context.Get(_previewBaseline),
            SnapshotEvery = context.Get(_snapshotEvery),
            VectorCount = context.Get(_vectors),
            Steps = context.Get(_steps),
            BatchSize = context.Get(_batch),
            GradientAccumulation = context.Get(_accumulation),
            LearningRate = context.Get(_learningRate),
            Kappa = context.Get(_kappa),
            KappaSchedule = context.Get(_kappaSchedule),
            Regularization = context.Get(_regularization),
            Beta = context.Get(_beta),
            Magnitude = magnitude,
            MagnitudeValue = magnitudeValue,
            Resolution = context.Get(_resolution),
            CenterCrop = context.Get(_centerCrop),
            RandomFlip = context.Get(_randomFlip),
            Seed = context.Get(_seed),
            PreviewEvery = context.Get(_previewEvery),
            PreviewPrompts = context.Get(_previewPrompts) ?? [],
            PreviewSteps = context.Get(_previewSteps),
            Dtype = context.Get(_dtype),
            Vae = context.Get(_vae),
            PredictionType = context.Get(_prediction),
        };
    }

    private static (Magnitude?, double?) ReadMagnitude(string? text) =>
        text is null ? (null, null)
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? (Magnitude.Value, value)
        : Enum.TryParse<Magnitude>(text, ignoreCase: true, out var magnitude) && magnitude != Magnitude.Value
            ? (magnitude, null)
        : throw new CliException(
            ExitCode.Usage,
            $"--magnitude is mean, median, min, max, initializer or a number, not '{text}'."
        );
}
