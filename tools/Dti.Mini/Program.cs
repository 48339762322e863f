using System.Globalization;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.Subjects;
using Dti.Mini.Text;

// dotnet run --project tools/Dti.Mini -c Release -- STAGE [threads] [steps]
var folder = Environment.GetEnvironmentVariable("DTI_MINI_WORK") ?? "artifacts/mini";
var threads = args.Length > 1 && args[0] is not "vocabulary" ? int.Parse(args[1], CultureInfo.InvariantCulture) : 2;
var steps = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 0;
switch (args[0])
{
    case "subjects":
        ContactSheet.Write(Path.Combine(folder, "subjects.png"), 10, [.. SubjectCatalogue.All.SelectMany(SubjectPhotos.Of).Select(ContactSheet.Draw)]);
        break;
    case "vocabulary":
        MiniVocabulary.Write(args[1], MiniWorld.TokenizerFolder);
        break;
    case "text":
        TextStage.Run(folder, threads, steps > 0 ? steps : 3_500);
        break;
    case "unet":
        UNetStage.Run(folder, threads, steps > 0 ? steps : 30_000, 1e-3);
        break;
    case "judge":
        JudgeStage.Run(folder, threads, steps > 0 ? steps : 6_000);
        break;
    case "vae":
        AutoencoderStage.Run(folder, threads, steps > 0 ? steps : 12_000);
        break;
}
