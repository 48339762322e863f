using Dti.Tests;
using Grpc.Core;

namespace Dti.ClientSdk.Tests;

public class LibraryTests(ServerFixture server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Concepts_ImportExportDelete_RoundTrips()
    {
        await using var client = new DtiClient(server.Address);
        var file = await File.ReadAllBytesAsync(
            Path.Combine(Fixtures.Root, "tiny-sd15", "expected", "learned_embeds-toy.safetensors"),
            Cancellation
        );

        var imported = await client.ImportConceptAsync(
            "imported",
            file,
            overwrite: true,
            cancellationToken: Cancellation
        );
        var listed = await client.ListConceptsAsync(Cancellation);
        var exported = await client.ExportConceptAsync("imported", ConceptFormat.WebUi, Cancellation);
        var again = await client.ImportConceptAsync(
            "again",
            exported.Data,
            overwrite: true,
            cancellationToken: Cancellation
        );
        await client.DeleteConceptAsync("imported", Cancellation);
        await client.DeleteConceptAsync("again", Cancellation);

        Assert.Equal(("imported", 32), (imported.Name, imported.Dimension));
        Assert.Null(imported.Settings);
        Assert.Contains(listed, concept => concept.Name == "imported");
        Assert.EndsWith(".safetensors", exported.FileName, StringComparison.Ordinal);
        Assert.Equal(imported.Norms, again.Norms, new Tolerance());
        Assert.DoesNotContain(await client.ListConceptsAsync(Cancellation), concept =>
            concept.Name is "imported" or "again"
        );
    }

    [Fact]
    public async Task ImportConceptAsync_Checkpoint_IsRefusedBeforeItIsSent()
    {
        await using var client = new DtiClient(server.Address);
        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            client.ImportConceptAsync("model", new byte[64 << 20], cancellationToken: Cancellation)
        );
        Assert.Equal("data", Assert.Single(error.FieldViolations).Field);
        Assert.StartsWith(
            "data has 64 MiB, and an embedding file has at most 63.",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task RestoreConceptAsync_ConceptWasReplaced_BringsBackWhatItWas()
    {
        await using var client = new DtiClient(server.Address);
        await client.LearnAsync("replaced", Cancellation);
        var before = await client.ExportConceptAsync("replaced", cancellationToken: Cancellation);
        var settings = (await client.GetConceptAsync("replaced", Cancellation)).Settings;
        Assert.Empty(await client.ListConceptVersionsAsync("replaced", Cancellation));
        var file = await File.ReadAllBytesAsync(
            Path.Combine(Fixtures.Root, "tiny-sd15", "expected", "learned_embeds-toy.safetensors"),
            Cancellation
        );
        await client.ImportConceptAsync("replaced", file, overwrite: true, cancellationToken: Cancellation);

        var version = Assert.Single(await client.ListConceptVersionsAsync("replaced", Cancellation));
        var restored = await client.RestoreConceptAsync("replaced", cancellationToken: Cancellation);

        Assert.Equal(settings?.Seed, version.Settings?.Seed);
        Assert.Equal(settings?.Seed, restored.Settings?.Seed);
        Assert.Equal(
            before.Data.ToArray(),
            (await client.ExportConceptAsync("replaced", cancellationToken: Cancellation)).Data.ToArray()
        );
        // the import, and what is current again
        Assert.Equal(2, (await client.ListConceptVersionsAsync("replaced", Cancellation)).Count);
    }

    [Fact]
    public async Task RestoreConceptAsync_NoSuchVersion_IsNotFound()
    {
        await using var client = new DtiClient(server.Address);
        await client.LearnAsync("kept", Cancellation);

        foreach (var version in new[] { null, "20200101T000000", "../kept" })
        {
            var error = await Assert.ThrowsAsync<DtiClientException>(() =>
                client.RestoreConceptAsync("kept", version, Cancellation)
            );
            Assert.Equal((StatusCode.NotFound, "VERSION_NOT_FOUND"), (error.Status, error.Reason));
        }
    }

    [Fact]
    public async Task DeleteConceptAsync_ConceptWithVersions_LeavesNone()
    {
        await using var client = new DtiClient(server.Address);
        var file = await File.ReadAllBytesAsync(
            Path.Combine(Fixtures.Root, "tiny-sd15", "expected", "learned_embeds-toy.safetensors"),
            Cancellation
        );
        for (var i = 0; i < 8; i++)
            await client.ImportConceptAsync("versions", file, overwrite: true, cancellationToken: Cancellation);
        Assert.Equal(5, (await client.ListConceptVersionsAsync("versions", Cancellation)).Count);

        await client.DeleteConceptAsync("versions", Cancellation);
        await client.ImportConceptAsync("versions", file, cancellationToken: Cancellation);

        Assert.Empty(await client.ListConceptVersionsAsync("versions", Cancellation));
    }

    [Fact]
    public async Task GetConceptAsync_AfterTraining_GivesSettingsAndPhotos()
    {
        await using var client = new DtiClient(server.Address);
        await client.LearnAsync("described", Cancellation);

        var concept = await client.GetConceptAsync("described", Cancellation);

        Assert.Equal(
            ("<described>", "tiny-sd15", "cat"),
            (concept.Placeholder, concept.Model, concept.Settings!.Initializer)
        );
        Assert.Equal(2, concept.PhotoSha256.Count);
        Assert.NotNull(concept.Created);
    }

    [Fact]
    public async Task GetConceptAsync_NoSuchName_IsNotFound()
    {
        await using var client = new DtiClient(server.Address);

        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            client.GetConceptAsync("nobody-here", Cancellation)
        );

        Assert.Equal((StatusCode.NotFound, "CONCEPT_NOT_FOUND"), (error.Status, error.Reason));
    }

    [Fact]
    public async Task ListModelsAsync_TheFixture_IsDefaultAndUsable()
    {
        await using var client = new DtiClient(server.Address);

        var model = Assert.Single(await client.ListModelsAsync(Cancellation));

        Assert.Equal(
            ("tiny-sd15", "sd1", 32, true, null),
            (model.Name, model.Family, model.EmbeddingDimension, model.IsDefault, model.Problem)
        );
        Assert.Equal(model.Name, (await client.GetModelAsync("tiny-sd15", Cancellation)).Name);
    }

    [Fact]
    public async Task GetServerAsync_TheFixture_TellsWhatItComputesWith()
    {
        await using var client = new DtiClient(server.Address);

        var about = await client.GetServerAsync(Cancellation);

        Assert.Equal(("cpu", "fp32"), (about.Device, about.Dtype));
        Assert.NotEmpty(about.Version);
    }

    private sealed class Tolerance : IEqualityComparer<double>
    {
        public bool Equals(double x, double y) => Math.Abs(x - y) < 1e-5;

        public int GetHashCode(double value) => 0;
    }
}
