using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Tests.Attacks;

/// <summary>
/// What is accepted can be read back and is counted, and every name and placeholder means one concept.
/// </summary>
public sealed class AcceptedConceptTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Import_FileThatSaysMuchOfItself_CanBeReadAndDeletedByItsOwner()
    {
        await using var server = TestServer.Start();
        var much = new string('m', 3_000_000);
        var metadata = new Dictionary<string, string>
        {
            ["dti.model"] = much,
            ["dti.photo_sha256"] = string.Join(',', Enumerable.Repeat("00", 1_000_000)),
            ["dti.settings"] = $"{{\"placeholder\": \"{much}\"}}",
        };

        await server.Concepts.ImportAsync(RaceTests.Import("big", metadata: metadata), cancellationToken: Cancellation);

        Assert.Equal("", (await server.Concepts.GetAsync(new() { Name = "big" })).Concept.Model);
        Assert.InRange(
            Directory.GetFiles(server.Options.ConceptFolder, "big*").Sum(file => new FileInfo(file).Length),
            1,
            20_000
        );
        await server.Concepts.DeleteAsync(new() { Name = "big" });
    }

    [Fact]
    public async Task List_MoreThanAPage_GivesThemAllInTheirOrder()
    {
        await using var server = TestServer.Start();
        string[] names = [.. Enumerable.Range(0, 7).Select(i => $"c{i}")];
        foreach (var name in names)
        {
            await server.Concepts.ImportAsync(RaceTests.Import(name), cancellationToken: Cancellation);
        }

        var (found, token, pages) = (new List<string>(), "", 0);
        do
        {
            var page = await server.Concepts.ListAsync(
                new() { PageSize = 3, PageToken = token },
                cancellationToken: Cancellation
            );
            found.AddRange(page.Concepts.Select(concept => concept.Name));
            token = page.NextPageToken;
            if (++pages == 1)
            {
                await server.Concepts.DeleteAsync(new() { Name = token }); // who goes meanwhile takes no other along
            }
        } while (token.Length > 0);

        Assert.Equal(names, found);
        Assert.Equal(3, pages);
        Assert.Equal(
            ["page_size"],
            await Refusal.Fields(() => server.Concepts.ListAsync(new() { PageSize = 1001 }).ResponseAsync)
        );
    }

    [Fact]
    public void Page_LargeConcepts_EndsBeforeAClientsLimit()
    {
        Concept[] all =
        [
            .. Enumerable.Range(0, 9).Select(i => new Concept { Name = $"c{i}", Model = new string('m', 900_000) }),
        ];
        var (found, token) = (new List<string>(), "");
        do
        {
            var page = Services.ConceptPages.Of(all, 0, token);
            Assert.InRange(page.CalculateSize(), 1, 4 << 20);
            found.AddRange(page.Concepts.Select(concept => concept.Name));
            token = page.NextPageToken;
        } while (token.Length > 0);

        Assert.Equal(all.Select(concept => concept.Name), found);
    }

    [Fact]
    public async Task Import_NameThatAnotherHasInOtherCase_IsTaken()
    {
        await using var server = TestServer.Start();
        await server.Concepts.ImportAsync(RaceTests.Import("cat"), cancellationToken: Cancellation);

        var refused = await Refusal.Of(
            () => server.Concepts.ImportAsync(RaceTests.Import("CAT", overwrite: true)).ResponseAsync,
            StatusCode.AlreadyExists
        );
        Assert.Equal("PLACEHOLDER_EXISTS", Refusal.Reason(refused));
        await Refusal.Of(() => server.TrainAsync(TestServer.Request("Cat")), StatusCode.AlreadyExists);
        await server.Concepts.ImportAsync(RaceTests.Import("cat", overwrite: true), cancellationToken: Cancellation);
    }

    [Fact]
    public async Task Import_NameWhosePlaceholderAnotherHas_IsTakenAlsoWhileThatOneIsTrained()
    {
        await using var server = TestServer.Start();
        using var call = server.Dti.Train(
            TestServer.Request("bar", steps: 100_000, change: request => request.Options.Placeholder = "<foo>")
        );
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        var jobId = call.ResponseStream.Current.Accepted.JobId;

        var refused = await Refusal.Of(
            () => server.Concepts.ImportAsync(RaceTests.Import("FOO")).ResponseAsync,
            StatusCode.AlreadyExists
        );
        Assert.Equal("CONCEPT_IN_TRAINING", Refusal.Reason(refused));
        await Refusal.Of(() => server.TrainAsync(TestServer.Request("foo")), StatusCode.AlreadyExists);
        await server.Jobs.CancelAsync(new() { JobId = jobId });
        await server.UntilAsync(jobId, job => job.State == JobState.Cancelled);

        await server.TrainAsync(
            TestServer.Request("bar", change: request =>
                (request.Overwrite, request.Options.Placeholder) = (true, "<foo>")
            )
        );
        refused = await Refusal.Of(
            () => server.Concepts.ImportAsync(RaceTests.Import("foo")).ResponseAsync,
            StatusCode.AlreadyExists
        );
        Assert.Equal("PLACEHOLDER_EXISTS", Refusal.Reason(refused));
    }
}
