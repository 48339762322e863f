using System.Globalization;
using Dti.Bench;
using Dti.Bench.Attacks;
using Dti.Bench.Clusters;
using Dti.Bench.Images;
using Dti.Bench.Load;
using Dti.Bench.Speed;

CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;

var all = new Arguments(args);
Clock.Current = Clock.Named(all.Text("--clock", Clock.Wall.Name), all.Text("--device", "cpu"));

return args switch
{
    _ when all.Has("--help") => Help(),
    ["speed", .. var rest] => SpeedBench.Run(new Arguments(rest)),
    ["layouts", .. var rest] => LayoutProbe.Run(new Arguments(rest)),
    ["previews", ..] => PreviewCost.Run(),
    ["growth", .. var rest] => StepGrowth.Run(new Arguments(rest)),
    ["library", .. var rest] => LibraryGrowth.Run(new Arguments(rest)),
    ["shared-library", .. var rest] => SharedLibrary.Run(new Arguments(rest)),
    ["queue", .. var rest] => await QueueGrowth.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    ["starts", .. var rest] => await Starts.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    [Starts.TorchVerb] => Starts.LoadTorch(),
    ["first-events", .. var rest] => await FirstEvents.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    ["fuzz", .. var rest] => Fuzzing.Run(new Arguments(rest)),
    ["conditioning", .. var rest] => Conditioning.Run(new Arguments(rest)),
    ["latency", .. var rest] => await Latency.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    [Latency.ClientVerb, var address, var steps, var photo, var concept] => await Latency
        .RunClientAsync(address, steps, photo, concept)
        .ConfigureAwait(false),
    ["kills", .. var rest] => await Kills.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    ["watchers", .. var rest] => await Watchers.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    [Watchers.ClientVerb, var address, var job, var count] => await Watchers
        .RunClientAsync(address, job, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture))
        .ConfigureAwait(false),
    ["callers", .. var rest] => await ManyCallers.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    [ManyCallers.ClientVerb, var address, var job, var count, var kind] => await ManyCallers
        .RunClientAsync(address, job, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture), kind)
        .ConfigureAwait(false),
    ["mixed-load", .. var rest] => await MixedLoad.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    ["attacks", .. var rest] => await AttackRun.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    ["cluster-chaos", .. var rest] => await Chaos.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    ["cluster-load", .. var rest] => await ClusterLoad.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    [SimulatedHost.Verb] => await SimulatedHost.RunAsync().ConfigureAwait(false),
    ["memory", .. var rest] => MemoryOptions.Run(new Arguments(rest)),
    ["rpc-fuzz", .. var rest] => await RpcFuzzing.RunAsync(new Arguments(rest)).ConfigureAwait(false),
    ["images", .. var rest] => ImageComparison.Run(new Arguments(rest)),
    [ImageFuzz.Verb, var library, var first, var count, var seed, var place] => ImageFuzz.RunHere(
        library,
        int.Parse(first, CultureInfo.InvariantCulture),
        int.Parse(count, CultureInfo.InvariantCulture),
        int.Parse(seed, CultureInfo.InvariantCulture),
        place
    ),
    [ImageComparison.PeakVerb, var library, var file] => ImageComparison.MeasurePeak(library, file),
    ["estimates", .. var rest] => Estimates.Run(new Arguments(rest)),
    ["full-size", .. var rest] => FullSize.Run(new Arguments(rest)),
    ["sana", .. var rest] => SanaFullSize.Run(new Arguments(rest)),
    [ModelCase.Verb, var json] => ModelCase.RunHere(json),
    _ => Help(),
};

static int Help()
{
    Console.Error.WriteLine(
        """
        ./dti bench is the command speed of
        dotnet run -c Release --project bench/Dti.Bench -- COMMAND

        speed      [--case NAME-OR-PART,…] [--dtypes fp32,bf16] [--rounds N] [--missing] [--no-limit] [--profile] [--work FOLDER] [--results FILE] [--clock wall|processor] [--device cpu|cuda]
        layouts    [--batch 2] [--backward] [--case sd15-sample-256] [--dtypes fp32,bf16]
        previews
        growth     [--model FOLDER-OR-FILE] [--sides 256,384,512] [--dtypes bf16] [--steps 4]
        library    [--counts 100,10000,100000]
        shared-library [--counts 1000,10000,100000] [--changes 50]
        queue      [--counts 10,100,1000,10000] [--rounds 20]
        starts     --program PATH-TO-DTI [--count 15]
        first-events --program PATH-TO-DTI [--rounds 100]
        fuzz       [--count 1000000] [--seed 1]
        conditioning --model FOLDER-OR-FILE --concept FILE [--prompt "a photo of <concept>"] [--output conditioning.safetensors]
        latency    [--steps 1000]
        kills      --program PATH-TO-DTI [--count 100] [--seed 1] [--steps 400]
        watchers   --program PATH-TO-DTI [--model FILE] [--side 128] [--watchers 1000] [--steps 200] [--rounds 5] [--client-core 1]
        callers    --program PATH-TO-DTI [--model FILE] [--side 128] [--callers 200] [--kinds look,ask] [--steps 200] [--rounds 3] [--client-core 1]
        mixed-load --program PATH-TO-DTI [--minutes 30] [--seed 1] [--only "train,draw the same"]
        attacks    --program PATH-TO-DTI [--only "gzip bombs,submit storm"]
        cluster-chaos --program PATH-TO-DTI [--databases postgres,redis] [--jobs 200] [--kills 30] [--partitions 10] [--restarts 3] [--seconds 600] [--seed 1] [--keep] [--no-save]
        cluster-load --program PATH-TO-DTI [--databases postgres,redis] [--jobs 12] [--waiting 20,10000] [--rounds 300] [--throughput-only] [--queue-only] [--no-save]
        memory     [--model FOLDER-OR-FILE] [--side 512] [--batch 1] [--picture 1024] [--steps 3] [--dtype fp32]
        rpc-fuzz   [--count 100000] [--seed 1]
        images     [--count 100000] [--seed 1] [--rounds 5]
        estimates  [--models FOLDER-OR-FILE,...] [--cases "draw 512 1 high fp32,train 256 4 low fp32,..."]
        sana       [--text-layers 26] [--side 512] [--dtype bf16] [--memory auto] [--work FOLDER] [--keep]
        full-size  [--families sd1,sdxl] [--side 512] [--dtype fp32] [--memory auto] [--work FOLDER] [--keep] [--tiny]
        """
    );
    return 2;
}
