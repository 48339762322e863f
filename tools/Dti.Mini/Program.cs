using System.Globalization;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.Study;
using Dti.Mini.Subjects;
using Dti.Mini.Subjects.Styles;
using Dti.Mini.Text;
using Dti.Mini.World;
using Dti.Mini.World.Designs;

const string Usage = """
    Renders the world of dti-mini and trains the model on it. Run it in the repository's root.

    dotnet run --project tools/Dti.Mini -c Release -- STAGE [THREADS [STEPS]]

      vocabulary        cuts CLIP's vocabulary to the words of the world and the commonest merges
      text              1: text encoder, contrastively with an image encoder
      words             1b: the text encoder learns designs, from captions alone
      vae               2: autoencoder
      latents           renders the world and encodes it
      reader            3: a network that reads objects from latents, to help the denoiser
      unet [T [N [LEG]]] 4: N steps of the denoiser, on the frozen text encoder and autoencoder, from where the last leg ended
      photo-encoder [T [N]] 5: N steps of the network that predicts a concept's direction from its photos
      previews          how latents look, for previews without the autoencoder
      judge [T [N [LEG]]] N steps of the independent encoder that judges pictures, from where the last leg ended
      design-judge [T [N [LEG]]] the part of the judge that reads designs
      quality [G [N]]   how much of what is asked the judge finds in images of guidance G (default 5) and N steps
      concepts [N]      whether N held-out designs (default 40) are learnt, by DTI and by Textual Inversion
      references [N]    the same without training: photos, what the autoencoder leaves of them, embedding, words
      guidance [N]      how well N held-out designs (default 8) are generated at several scales of guidance
      methods [N [S]]   all methods on N held-out designs (default 32) with S seeds (default 3), at the official rates
      rates [N]         all methods at learning rates over three decades, on N (default 8) other held-out designs
      lengths [N]       DTI and Textual Inversion with 10 to 800 steps, on the same
      variants [N [S]]  changes of the model's default settings, one at a time, on the same
      starts [N]        DTI that starts at the photos' direction or at a word, after few and many steps, on N held-out designs (default 32)
      between           images between all pairs of the shown designs
      position          how well position can be read from embeddings of any norm
      demo-choice [NAME…]  all subjects, or those named, by DTI and TI, prompt by prompt: candidates for the demo
      curves, report    graphs of all that was trained and measured, and its tables
      world, designs, subjects  sheets of scenes, and of the pictures of subjects and styles
      samples           those pictures as files, into samples

    A stage that was killed continues from where it last saved, at most two minutes before. States, curves and sheets are kept in
    artifacts/mini (or DTI_MINI_WORK), finished components in models/dti-mini (or DTI_MINI_MODEL), results in docs/dti-mini.
    """;

var folder = Environment.GetEnvironmentVariable("DTI_MINI_WORK") ?? Path.Combine("artifacts", "mini");
int Number(int index, int absent) =>
    args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : absent;

int[] First(int count, Range designs) => [.. Enumerable.Range(0, Design.HeldOutCount).Take(designs).Take(count)];
switch (args.FirstOrDefault())
{
    case "vocabulary":
        MiniVocabulary.Write(MiniWorld.TokenizerFolder);
        return 0;
    case "text":
        TextStage.Run(folder, Number(1, 2), Number(2, 2_600));
        return 0;
    case "words":
        WordsStage.Run(folder, Number(1, 2), Number(2, 2_000));
        return 0;
    case "vae":
        AutoencoderStage.Run(folder, Number(1, 2), Number(2, 8_000));
        return 0;
    case "latents":
        LatentStore.Open(
            folder,
            MiniWorld.TrainSeed,
            Number(2, MiniWorld.Pictures),
            AutoencoderStage.Finished(),
            Number(1, 2)
        );
        LatentStore.Open(folder, MiniWorld.HeldOutSeed, 500, AutoencoderStage.Finished(), Number(1, 2));
        return 0;
    case "unet":
        UNetStage.Run(folder, Number(1, 2), Number(2, 4_000), leg: Number(3, 1));
        return 0;
    case "reader":
        ReaderStage.Run(folder, Number(1, 2), Number(2, 1_000));
        return 0;
    case "photo-encoder":
        PhotoEncoderStage.Run(folder, Number(1, 2), Number(2, 1_500));
        return 0;
    case "previews":
        PreviewStage.Run(folder);
        return 0;
    case "judge":
        JudgeStage.Run(folder, Number(1, 2), Number(2, 1_400), leg: Number(3, 1));
        return 0;
    case "design-judge":
        DesignJudgeStage.Run(folder, Number(1, 2), Number(2, 3_000), leg: Number(3, 1));
        return 0;
    case "quality":
        QualityStage.Run(folder, new Sampling("ddim", Number(1, 5), Number(2, 25)));
        return 0;
    case "concepts":
        new DesignStudy(folder).Run(Number(1, 40));
        return 0;
    case "references":
        new DesignStudy(folder).Run(Number(1, 40), isTrained: false);
        return 0;
    case "guidance":
        new DesignStudy(folder).Guidance(Number(1, 8));
        return 0;
    case "methods":
        new MethodStudy(folder).Run(StudyMethods.Official, First(Number(1, 32), MethodStudy.Compared), Number(2, 3));
        return 0;
    case "rates":
        new MethodStudy(folder).Run(StudyMethods.Rates, First(Number(1, 8), MethodStudy.Tuned), seeds: 1);
        return 0;
    case "starts":
        new StartStudy(folder).Run(Number(1, 32));
        return 0;
    case "lengths":
        new MethodStudy(folder).Run(StudyMethods.Lengths, First(Number(1, 8), MethodStudy.Tuned), seeds: 1);
        return 0;
    case "variants":
        new MethodStudy(folder).Run(StudyMethods.Variants, First(Number(1, 8), MethodStudy.Tuned), Number(2, 2));
        return 0;
    case "between":
        new InterpolationStudy(folder).Run();
        return 0;
    case "position":
        PositionStudy.Run(folder);
        return 0;
    case "demo-choice":
        new DemoChoice(folder).Run(
            SubjectCatalogue.All.Where(subject => args.Length == 1 || args.Contains(subject.Name))
        );
        return 0;
    case "report":
        StudyReport.Write();
        return 0;
    case "curves":
        TrainingCurves.Write(folder);
        return 0;
    case "world":
        ContactSheet.Write(
            Path.Combine(folder, "world.webp"),
            10,
            [.. Enumerable.Range(0, 60).Select(i => ContactSheet.Draw(Scene.Sample(MiniWorld.TrainSeed, i)))]
        );
        return 0;
    case "designs":
        ContactSheet.Write(
            Path.Combine(folder, "designs.png"),
            10,
            [.. Enumerable.Range(0, 60).Select(i => ContactSheet.Draw(Scene.Sample(Design.TrainScenes, i)))]
        );
        return 0;
    case "subjects":
        ContactSheet.Write(
            Path.Combine(folder, "subjects.webp"),
            10,
            [.. SubjectCatalogue.All.SelectMany(SubjectPhotos.Of).Select(ContactSheet.Draw)]
        );
        ContactSheet.Write(
            Path.Combine(folder, "styles.webp"),
            10,
            [.. LearntStyle.All.SelectMany(style => style.Pictures())]
        );
        return 0;
    case "samples":
        SamplePhotos.Write("samples");
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}
