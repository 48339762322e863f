using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Dti.Server.Tests.Security;

/// <summary>What one caller has, another neither sees nor changes.</summary>
public class OwnershipTests
{
    private static readonly ByteString _toy = ByteString.CopyFrom(
        File.ReadAllBytes(Path.Combine(Fixtures.Root, "tiny-sd15", "expected", "learned_embeds-toy.safetensors"))
    );

    private static readonly string[] _user = ["read", "generate", "train"];

    [Fact]
    public async Task Concept_OfAnother_IsNotThere()
    {
        await using var server = GuardedServer.Start();
        var (alice, bob) = (Concepts(server.As("alice", _user)), Concepts(server.As("bob", _user)));
        var imported = (await alice.ImportAsync(Import("hers"))).Concept;
        await bob.ImportAsync(Import("garden"));

        Assert.Equal("alice", imported.Owner);
        Assert.Equal(["garden"], (await bob.ListAsync(new())).Concepts.Select(concept => concept.Name));
        var unknown = await Refusal.Of(
            () => bob.GetAsync(new() { Name = "nobodys" }).ResponseAsync,
            StatusCode.NotFound
        );
        foreach (
            var call in new Func<Task>[]
            {
                () => bob.GetAsync(new() { Name = "hers" }).ResponseAsync,
                () => bob.InspectAsync(new() { Name = "hers" }).ResponseAsync,
                () => bob.ExportAsync(new() { Name = "hers" }).ResponseAsync,
                () => bob.DeleteAsync(new() { Name = "hers" }).ResponseAsync,
            }
        )
        {
            var refused = await Refusal.Of(call, StatusCode.NotFound);
            Assert.Equal(
                unknown.Status.Detail.Replace("nobodys", "hers", StringComparison.Ordinal),
                refused.Status.Detail
            );
        }

        Assert.Equal("hers", (await alice.GetAsync(new() { Name = "hers" })).Concept.Name);
    }

    [Fact]
    public async Task Concept_OfAnother_IsNeitherDrawnNorBlendedNorStartedFrom()
    {
        await using var server = GuardedServer.Start();
        await Concepts(server.As("alice", _user)).ImportAsync(Import("hers"));
        var bob = new DtiService.DtiServiceClient(server.As("bob", _user));

        await Refusal.Of(
            () => First(bob.Generate(new GenerateRequest { Options = TestServer.Draw("a photo of <hers>") })),
            StatusCode.NotFound
        );
        await Refusal.Of(
            () => First(bob.Generate(new GenerateRequest { Options = TestServer.Draw("embedding:hers") })),
            StatusCode.NotFound
        );
        await Refusal.Of(
            () => First(bob.Interpolate(new InterpolateRequest { FromConcept = "hers", ToConcept = "hers" })),
            StatusCode.NotFound
        );
        await Refusal.Of(
            () =>
                First(bob.Train(TestServer.Request("mine", change: request => request.Options.StartConcept = "hers"))),
            StatusCode.NotFound
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Name_OfAnothersConcept_IsTaken(bool overwrite)
    {
        await using var server = GuardedServer.Start();
        await Concepts(server.As("alice", _user)).ImportAsync(Import("hers"));
        var bob = server.As("bob", _user);

        var import = await Refusal.Of(
            () => Concepts(bob).ImportAsync(Import("hers", overwrite)).ResponseAsync,
            StatusCode.AlreadyExists
        );
        var train = await Refusal.Of(
            () =>
                First(
                    new DtiService.DtiServiceClient(bob).Train(
                        TestServer.Request("hers", change: request => request.Overwrite = overwrite)
                    )
                ),
            StatusCode.AlreadyExists
        );

        Assert.Equal("The name 'hers' is taken; choose another one.", import.Status.Detail);
        Assert.Equal(import.Status.Detail, train.Status.Detail);
    }

    [Theory]
    [InlineData("bob", "The name 'hers' is taken; choose another one.")]
    [InlineData("alice", "is training a concept 'hers' already")]
    public async Task Name_OfATrainingThatWaits_IsNotImported(string caller, string reason)
    {
        await using var server = GuardedServer.Start();
        var callers = new Dictionary<string, CallInvoker>
        {
            ["alice"] = server.As("alice", _user),
            ["bob"] = server.As("bob", _user),
        };
        var dti = new DtiService.DtiServiceClient(callers["alice"]);
        using var running = dti.Train(TestServer.Request("running", steps: 100_000));
        Assert.True(await running.ResponseStream.MoveNext(default));
        using var waiting = dti.Train(TestServer.Request("hers"));
        Assert.True(await waiting.ResponseStream.MoveNext(default));

        var refused = await Refusal.Of(
            () => Concepts(callers[caller]).ImportAsync(Import("hers", overwrite: true)).ResponseAsync,
            StatusCode.AlreadyExists
        );

        Assert.Contains(reason, refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Training_OfAnother_IsNeitherResumedNorReplaced()
    {
        await using var server = GuardedServer.Start();
        var (alice, bob) = (server.As("alice", _user), server.As("bob", _user));
        await All(new DtiService.DtiServiceClient(alice).Train(TestServer.Request("hers")));
        Assert.Equal("alice", (await Concepts(alice).GetAsync(new() { Name = "hers" })).Concept.Owner);
        await Refusal.Of(
            () => First(new DtiService.DtiServiceClient(bob).Train(new TrainRequest { Name = "hers", Resume = new() })),
            StatusCode.NotFound
        );
        // as if it had been cancelled: the run is there, the concept is not
        File.Delete(Path.Combine(server.Server.Options.ConceptFolder, "hers.json"));
        await Refusal.Of(
            () => First(new DtiService.DtiServiceClient(bob).Train(TestServer.Request("hers"))),
            StatusCode.AlreadyExists
        );
        await Refusal.Of(() => Concepts(bob).ImportAsync(Import("hers")).ResponseAsync, StatusCode.AlreadyExists);
    }

    [Fact]
    public async Task Job_OfAnother_IsNotThere()
    {
        await using var server = GuardedServer.Start();
        var (hers, his) = (server.As("alice", _user), server.As("bob", _user));
        var (alice, bob, admin) = (
            new JobService.JobServiceClient(hers),
            new JobService.JobServiceClient(his),
            new JobService.JobServiceClient(server.As("root", "admin"))
        );
        var request = TestServer.Request("hers", steps: 100_000, change: train => train.RequestId = "the-same");
        using var training = new DtiService.DtiServiceClient(hers).Train(request);
        Assert.True(await training.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        var id = training.ResponseStream.Current.Accepted.JobId;

        var unknown = await Refusal.Of(
            () => bob.GetAsync(new() { JobId = new string('0', id.Length) }).ResponseAsync,
            StatusCode.NotFound
        );
        foreach (
            var call in new Func<Task>[]
            {
                () => bob.GetAsync(new() { JobId = id }).ResponseAsync,
                () => bob.CancelAsync(new() { JobId = id }).ResponseAsync,
                () => First(bob.Watch(new() { JobId = id })),
            }
        )
        {
            var refused = await Refusal.Of(call, StatusCode.NotFound);
            Assert.Equal(
                unknown.Status.Detail.Replace(new string('0', id.Length), id, StringComparison.Ordinal),
                refused.Status.Detail
            );
        }

        Assert.Empty((await bob.ListAsync(new())).Jobs);
        Assert.Equal(id, Assert.Single((await alice.ListAsync(new())).Jobs).JobId);
        Assert.Equal(id, Assert.Single((await admin.ListAsync(new())).Jobs).JobId);

        // Neither does the same request id attach, nor the refusal of the name tell of the job.
        var taken = await Refusal.Of(
            () => First(new DtiService.DtiServiceClient(his).Train(request)),
            StatusCode.AlreadyExists
        );
        Assert.Equal("The name 'hers' is taken; choose another one.", taken.Status.Detail);
        await admin.CancelAsync(new() { JobId = id });
    }

    [Fact]
    public async Task Training_ResumedByAnAdmin_StaysItsOwners()
    {
        await using var server = GuardedServer.Start();
        var (alice, admin) = (server.As("alice", _user), server.As("root", "admin"));
        await All(new DtiService.DtiServiceClient(alice).Train(TestServer.Request("hers")));
        File.Delete(Path.Combine(server.Server.Options.ConceptFolder, "hers.json")); // as if it had been cancelled

        await All(
            new DtiService.DtiServiceClient(admin).Train(
                new TrainRequest
                {
                    Name = "hers",
                    Resume = new(),
                    Options = new() { Steps = 4 },
                }
            )
        );

        Assert.Equal("alice", (await Concepts(alice).GetAsync(new() { Name = "hers" })).Concept.Owner);
    }

    [Fact]
    public async Task Admin_SeesAll_AndWhatItReplacesStaysItsOwners()
    {
        await using var server = GuardedServer.Start();
        var (alice, admin) = (Concepts(server.As("alice", _user)), Concepts(server.As("root", "admin")));
        await alice.ImportAsync(Import("hers"));

        Assert.Equal(["hers"], (await admin.ListAsync(new())).Concepts.Select(concept => concept.Name));
        Assert.Equal("alice", (await admin.ImportAsync(Import("hers", overwrite: true))).Concept.Owner);
        await admin.DeleteAsync(new() { Name = "hers" });
        Assert.Empty((await alice.ListAsync(new())).Concepts);
    }

    [Fact]
    public async Task Caller_WithTwoTokens_HasTheSameConcepts()
    {
        await using var server = GuardedServer.Start();
        await Concepts(server.As("alice", _user)).ImportAsync(Import("hers"));
        var other = server.With(server.Tokens.Create("alice-laptop", ["read"], caller: "alice").Secret);
        Assert.Single((await Concepts(other).ListAsync(new())).Concepts);
    }

    [Fact]
    public async Task Concept_FromBeforeThereWereTokens_IsTheAdminsToSee()
    {
        var folder = Directory.CreateTempSubdirectory("dti-owner-");
        await using (var open = TestServer.Start(options => options with { ConceptFolder = folder.FullName }))
        {
            Assert.Equal("local", (await open.Concepts.ImportAsync(Import("ours"))).Concept.Owner);
        }

        await using (var server = GuardedServer.Start(options => options with { ConceptFolder = folder.FullName }))
        {
            Assert.Empty((await Concepts(server.As("alice", _user)).ListAsync(new())).Concepts);
            Assert.Equal(
                "ours",
                Assert.Single((await Concepts(server.As("root", "admin")).ListAsync(new())).Concepts).Name
            );
        }

        folder.Delete(recursive: true);
    }

    private static ConceptService.ConceptServiceClient Concepts(CallInvoker invoker) => new(invoker);

    private static ConceptServiceImportRequest Import(string name, bool overwrite = false) =>
        new()
        {
            Name = name,
            Data = _toy,
            Overwrite = overwrite,
        };

    private static async Task All<T>(AsyncServerStreamingCall<T> call)
    {
        using (call)
        {
            while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken)) { }
        }
    }

    private static async Task First<T>(AsyncServerStreamingCall<T> call)
    {
        using (call)
        {
            await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
        }
    }
}
