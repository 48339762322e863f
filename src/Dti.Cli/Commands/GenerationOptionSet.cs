using System.CommandLine;
using Dti.Cli.Files;
using Dti.ClientSdk;

namespace Dti.Cli.Commands;

/// <summary>
/// The settings that <c>dti generate</c> and <c>dti interpolate</c> share; one that is not given takes the server's
/// default.
/// </summary>
internal sealed class GenerationOptionSet
{
    private readonly Option<string?> _negative = new("--negative")
    {
        Description = "What to keep away from.",
        HelpName = "prompt",
    };
    private readonly Option<string?> _model = new("--model")
    {
        Description = "Model to draw with (dti models list).",
        HelpName = "name",
    };
    private readonly Option<int?> _width = new("--width")
    {
        Description = "Pixels, a multiple of 8. Default: the model's own.",
        HelpName = "pixels",
    };
    private readonly Option<int?> _height = new("--height")
    {
        Description = "Pixels, a multiple of 8. Default: the model's own.",
        HelpName = "pixels",
    };
    private readonly Option<int?> _steps = new("--steps")
    {
        Description = "Sampling steps. Default: 30.",
        HelpName = "n",
    };
    private readonly Option<double?> _guidance = new("--guidance")
    {
        Description = "Classifier-free guidance, 1 (off) to 100. Default: 7.5.",
        HelpName = "scale",
    };
    private readonly Option<double?> _rescale = new("--guidance-rescale")
    {
        Description = "Brings strong guidance back to the contrast of the unguided picture, 0 to 1. Default: 0.",
        HelpName = "part",
    };
    private readonly Option<int?> _clipSkip = new("--clip-skip")
    {
        Description = "Layer of the text encoder, from the last, as A1111 counts; not for SDXL. Default: 1.",
        HelpName = "n",
    };
    private readonly Option<string?> _scheduler = new("--scheduler")
    {
        Description =
            "ddim, dpmpp_2m, euler, euler_ancestral or pndm; dpmpp_2m_karras and euler_karras. Default: the model's own.",
        HelpName = "name",
    };
    private readonly Option<ulong?> _seed = new("--seed")
    {
        Description = "Same seed, same picture. Default: chosen and shown.",
        HelpName = "n",
    };
    private readonly Option<PromptSyntax?> _syntax = new("--syntax")
    {
        Description =
            "weighted: (word:1.2) and embedding:name as in ComfyUI; plain: the prompt as it is. Default: weighted.",
    };
    private readonly Option<LongPrompts?> _long = new("--long-prompts")
    {
        Description =
            "chunks: read more than 77 tokens in chunks of 75, as in ComfyUI; cut: as in diffusers. Default: chunks.",
    };

    private readonly Option<PictureFormat?> _format = new("--format")
    {
        Description = "Default: by the ending of -o, or png.",
    };
    private readonly Option<int?> _quality = new("--quality")
    {
        Description = "1 to 100, JPEG and WebP only. Default: 90.",
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
    private readonly Option<string?> _previews = new("--previews")
    {
        Description =
            "Write each picture, as it looks while it is drawn, into this folder: small files, one a sampling step.",
        HelpName = "folder",
    };
    private readonly Option<int?> _previewEvery = new("--preview-every")
    {
        Description = "With --previews: sampling steps between two of them. Default: 1.",
        HelpName = "n",
    };
    private readonly Option<string?> _dtype = new("--dtype")
    {
        Description = "auto, fp32, bf16 or fp16. Default: auto.",
        HelpName = "type",
    };

    public GenerationOptionSet()
    {
        _format.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "png", "jpeg", "webp");
        _syntax.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "weighted", "plain");
        _long.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "chunks", "cut");
    }

    public void AddTo(Command command)
    {
        foreach (
            var option in new Option[]
            {
                _seed,
                _steps,
                _guidance,
                _negative,
                _width,
                _height,
                _scheduler,
                _rescale,
                _clipSkip,
                _syntax,
                _long,
                _model,
                _vae,
                _prediction,
                _dtype,
                _format,
                _quality,
                _previews,
                _previewEvery,
            }
        )
            command.Add(option);
        command.Validators.Add(asked =>
        {
            if (asked.Gave(_previewEvery) && !asked.Gave(_previews))
                asked.AddError("--preview-every goes with --previews.");
        });
    }

    /// <summary>Folder for previews; null: none are asked for.</summary>
    public string? PreviewFolder(CommandContext context) => context.Get(_previews);

    public GenerationOptions Read(CommandContext context, string prompt, string? outputFile) =>
        new()
        {
            Prompt = prompt,
            NegativePrompt = context.Get(_negative),
            Model = context.Get(_model),
            Width = context.Get(_width),
            Height = context.Get(_height),
            Steps = context.Get(_steps),
            GuidanceScale = context.Get(_guidance),
            Scheduler = context.Get(_scheduler),
            Seed = context.Get(_seed),
            PromptSyntax = context.Get(_syntax),
            LongPrompts = context.Get(_long),
            GuidanceRescale = context.Get(_rescale),
            ClipSkip = context.Get(_clipSkip),
            Format = context.Get(_format) ?? PictureFiles.FormatOf(outputFile),
            Quality = context.Get(_quality),
            Dtype = context.Get(_dtype),
            Vae = context.Get(_vae),
            PredictionType = context.Get(_prediction),
            PreviewEvery = context.Get(_previewEvery) ?? (PreviewFolder(context) is null ? null : 1),
        };
}
