using System.Globalization;
using System.Runtime.InteropServices;
using Dti.Engine.Generation;
using Dti.Engine.Models.Families;
using Dti.Engine.Planning;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;

namespace Dti.Bench;

/// <summary>What <see cref="MemoryEstimate"/> says of a job, beside what the job takes.</summary>
internal static class Estimates
{
    public static int Run(Arguments arguments)
    {
        var table = new Table("model", "work", "dtype", "memory", "measured MiB", "estimated MiB", "ratio");
        foreach (var model in arguments.Text("--models", Folders.Fixture("tiny-sd15")).Split(','))
        {
            foreach (
                var asked in arguments
                    .Text("--cases", "generate 256 1 high fp32,train 256 4 high fp32,train 256 4 low fp32")
                    .Split(',')
            )
            {
                var words = asked.Split(' ');
                var (work, side, batch, memory, dtype) = (
                    Enum.Parse<Work>(words[0], ignoreCase: true),
                    int.Parse(words[1], CultureInfo.InvariantCulture),
                    int.Parse(words[2], CultureInfo.InvariantCulture),
                    words[3],
                    words[4]
                );
                var result = new ModelCase(model, null, memory, dtype, side, batch, Steps: 2, work).Run();
                var (measured, estimated) = (
                    result.PeakBytes - result.HeldBytes,
                    Estimate(model, work, side, batch, memory, dtype)
                );
                table.Add(
                    Path.GetFileName(model),
                    work == Work.Generate ? $"generate {side} × {side}" : $"train {batch} × {side} × {side}",
                    dtype,
                    memory,
                    Table.Mebibytes(measured),
                    Table.Mebibytes(estimated),
                    Table.Ratio((double)estimated / measured)
                );
                table.Save(
                    "estimates",
                    $"""
                    What the server estimates that a job takes beside the weights, and the most that it took: the growth of a process that did nothing else.
                    Two steps; {RuntimeInformation.OSArchitecture}, no GPU, where it has not been measured.
                    """
                );
            }
        }

        return 0;
    }

    private static long Estimate(string model, Work work, int side, int batch, string memory, string dtype)
    {
        var profile = ModelFamilies.BuiltIn.Read(model);
        var target = ComputeTarget.Resolve("cpu", dtype);
        var policy = MemoryPolicy.Resolve(memory, profile.HeldBytes(target), target);
        return work == Work.Generate
            ? MemoryEstimate.OfGeneration(
                profile,
                target,
                policy,
                GenerationSettings.Resolve(
                    new GenerationOptions
                    {
                        Prompt = "a photo of a cat",
                        Width = side,
                        Height = side,
                        Steps = 2,
                    },
                    profile,
                    () => 1
                )
            )
            : MemoryEstimate.OfTraining(
                profile,
                target,
                policy,
                TrainingSettings.Resolve(
                    new TrainingOptions
                    {
                        Steps = 2,
                        BatchSize = batch,
                        Resolution = side,
                        PreviewEvery = 0,
                        Initializer = "cat",
                    },
                    "x",
                    profile,
                    () => 1
                )
            );
    }
}
