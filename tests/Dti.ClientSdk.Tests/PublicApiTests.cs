using Dti.Tests;
using PublicApiGenerator;

namespace Dti.ClientSdk.Tests;

public class PublicApiTests
{
    /// <summary>What plug-ins compile against changes only on purpose: the difference is in the commit.</summary>
    [Fact]
    public void PublicApi_OfTheAssembly_IsTheApprovedOne()
    {
        var actual =
            typeof(DtiClient)
                .Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false })
                .ReplaceLineEndings("\n") + "\n";
        var approved = Path.Combine(Fixtures.Repository, "tests", "Dti.ClientSdk.Tests", "PublicApi.approved.txt");
        var received = Path.Combine(Fixtures.Repository, "artifacts", "PublicApi.received.txt");
        File.WriteAllText(received, actual);

        Assert.True(
            File.Exists(approved) && File.ReadAllText(approved) == actual,
            $"The public API has changed. If it was meant to: cp {received} {approved}"
        );
    }

    [Fact]
    public void Readme_NamesEveryUpdate()
    {
        var readme = File.ReadAllText(Path.Combine(Fixtures.Repository, "src", "Dti.ClientSdk", "README.md"));
        var updates = typeof(DtiClient)
            .Assembly.GetExportedTypes()
            .Where(type =>
                !type.IsAbstract
                && (type.IsSubclassOf(typeof(TrainingUpdate)) || type.IsSubclassOf(typeof(GenerationUpdate)))
            )
            .Select(type => type.Name)
            .ToArray();

        Assert.NotEmpty(updates);
        Assert.All(updates, name => Assert.Contains($"`{name}`", readme, StringComparison.Ordinal));
    }
}
