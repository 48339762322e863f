using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Libraries;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests.Security;

public sealed class CallerQuotasTests : IDisposable
{
    private static readonly string[] _user = ["read", "generate", "train"];
    private readonly FakeTimeProvider _time = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-quotas-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Admit_PicturesOfAnHourSpent_SaysWhenThereIsRoomAgain()
    {
        var quotas = Quotas(new() { MaxPicturesPerHour = 10 });
        Assert.Null(quotas.Admit("alice", 0, 4));
        _time.Advance(TimeSpan.FromMinutes(20));
        Assert.Null(quotas.Admit("alice", 0, 6));

        // the first four are an hour old then
        Assert.Equal(TimeSpan.FromMinutes(40), Delay(quotas.Admit("alice", 0, 1)));
        Assert.Equal(TimeSpan.FromMinutes(60), Delay(quotas.Admit("alice", 0, 5)));
        Assert.Null(quotas.Admit("bob", 0, 10));
        _time.Advance(TimeSpan.FromMinutes(40));
        Assert.Null(quotas.Admit("alice", 0, 4)); // what was refused was not counted
        Assert.NotNull(quotas.Admit("alice", 0, 1));
    }

    [Fact]
    public void Admit_MorePicturesThanThereEverAre_IsAWrongRequest() =>
        Assert.Equal(ErrorKind.InvalidArgument, Quotas(new() { MaxPicturesPerHour = 3 }).Admit("alice", 0, 4)!.Kind);

    [Fact]
    public void Admit_JobsWaiting_CountsTheCallersOwn()
    {
        var quotas = Quotas(new() { MaxQueuedJobs = 2 });
        Assert.Null(quotas.Admit("alice", 1, 0));
        Assert.Equal(ErrorKind.ResourceExhausted, quotas.Admit("alice", 2, 0)!.Kind);
    }

    [Fact]
    public async Task Generate_PicturesSpent_IsExhaustedWithWhenToComeBack()
    {
        await using var server = GuardedServer.Start(options =>
            options with
            {
                PerCaller = new() { MaxPicturesPerHour = 2 },
            }
        );
        var alice = new DtiService.DtiServiceClient(server.As("alice", _user));
        var options = TestServer.Draw("a dog");
        options.NumImages = 2;
        await All(alice.Generate(new GenerateRequest { Options = options }));

        var refused = await Refusal.Of(
            () => All(alice.Generate(new GenerateRequest { Options = TestServer.Draw("a dog") })),
            StatusCode.ResourceExhausted
        );

        Assert.Equal("CALLER_PICTURES_SPENT", Refusal.Reason(refused));
        Assert.InRange(
            Refusal.Detail<RetryInfo>(refused).RetryDelay.ToTimeSpan(),
            TimeSpan.FromMinutes(50),
            TimeSpan.FromMinutes(60)
        );
        await All(
            new DtiService.DtiServiceClient(server.As("bob", _user)).Generate(
                new GenerateRequest { Options = TestServer.Draw("a dog") }
            )
        );
    }

    [Fact]
    public async Task Import_StorageFull_IsRefusedUntilSomethingIsDeleted()
    {
        var toy = ByteString.CopyFrom(
            await File.ReadAllBytesAsync(
                Path.Combine(Fixtures.Root, "tiny-sd15", "expected", "learned_embeds-toy.safetensors"),
                TestContext.Current.CancellationToken
            )
        );
        await using var server = GuardedServer.Start(options =>
            options with
            {
                PerCaller = new() { MaxStoredBytes = 100 },
            }
        );
        var (alice, bob) = (
            new ConceptService.ConceptServiceClient(server.As("alice", _user)),
            new ConceptService.ConceptServiceClient(server.As("bob", _user))
        );
        await alice.ImportAsync(new() { Name = "hers", Data = toy });

        var refused = await Refusal.Of(
            () => alice.ImportAsync(new() { Name = "more", Data = toy }).ResponseAsync,
            StatusCode.ResourceExhausted
        );

        Assert.Equal("CALLER_STORAGE_FULL", Refusal.Reason(refused));
        Assert.NotNull(Refusal.Detail<RetryInfo>(refused).RetryDelay);
        await bob.ImportAsync(new() { Name = "his", Data = toy });
        await alice.DeleteAsync(new() { Name = "hers" });
        await alice.ImportAsync(new() { Name = "more", Data = toy });
    }

    private CallerQuotas Quotas(CallerLimits limits)
    {
        var options = new DtiServerOptions { ConceptFolder = _folder, PerCaller = limits };
        return new CallerQuotas(
            options,
            new ConceptLibrary(options, _time, NullLogger<ConceptLibrary>.Instance),
            new TrainingRuns(options),
            _time
        );
    }

    private static TimeSpan Delay(DtiException? refusal) => refusal!.RetryAfter!.Value;

    private static async Task All<T>(AsyncServerStreamingCall<T> call)
    {
        using (call)
        {
            while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken)) { }
        }
    }
}
