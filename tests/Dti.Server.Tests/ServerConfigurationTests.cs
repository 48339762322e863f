using System.Collections;
using System.Text;
using Dti.Engine;
using Microsoft.Extensions.Configuration;

namespace Dti.Server.Tests;

public class ServerConfigurationTests
{
    [Fact]
    public void Bind_FileEnvironmentAndFlags_TheLastWordIsTheLast()
    {
        var options = Bind(
            """{"Dti": {"ConceptFolder": "/of/file", "Port": 1, "WebPort": 1, "MetricsPort": 1, "WebOrigins": ["http://a"], "Limits": {"MaxPhotos": 7}, "ImageLimits": {"MaxSide": 99}}}""",
            new() { ["DTI_WEB_PORT"] = "2", ["DTI_METRICSPORT"] = "2", ["DTI_LIMITS__MAX_BATCH_SIZE"] = "3", ["DTI_SERVER"] = "http://elsewhere", ["PATH"] = "/bin" },
            ServerConfiguration.Setting("MetricsPort", "3"));

        Assert.Equal(("/of/file", 1, 2, 3), (options.ConceptFolder, options.Port, options.WebPort, options.MetricsPort));
        Assert.Equal(["http://a"], options.WebOrigins);
        Assert.Equal((7, 3, 64, 99), (options.Limits.MaxPhotos, options.Limits.MaxBatchSize, options.Limits.MaxPictures, options.ImageLimits.MaxSide));
    }

    [Fact]
    public void Bind_HomeAndModels_AreTheFoldersOfEveryCommand()
    {
        var (home, models) = (Path.GetFullPath("home"), new[] { Path.GetFullPath("a"), Path.GetFullPath("b") });
        var options = Bind("""{"Dti": {"ConceptFolder": "/of/file"}}""", new() { ["DTI_HOME"] = "home", ["DTI_MODELS"] = $"a{Path.PathSeparator}b" });
        Assert.Equal(Path.Combine(home, "concepts"), options.ConceptFolder);
        Assert.Equal(models, options.ModelFolders);
    }

    [Fact]
    public void Bind_EveryKindOfMistake_NamesThemAllAtOnce()
    {
        var error = Assert.Throws<ValidationException>(() => Bind(
            """{"Dti": {"ConceptFolder": "/c", "Prot": 1, "WebPort": "x", "Limits": 5, "MaxQueuedJobs": 0, "WebOrigins": "http://a", "Memory": {"a": 1}, "ImageLimits": {"MaxSides": 1}}}""",
            new() { ["DTI_LIMITS__MAX_PHOTO"] = "1", ["DTI_PORT"] = "99999" }));

        Assert.Equal(
            new SortedSet<string> { "Prot", "WebPort", "Limits", "MaxQueuedJobs", "WebOrigins", "Memory", "ImageLimits.MaxSides", "Port" },
            new SortedSet<string>(error.Violations.Select(violation => violation.Field)));
        Assert.Contains("Prot is no setting. Close: Port.", error.Message, StringComparison.Ordinal);
        Assert.Contains("WebPort is 'x'; it must be a whole number.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_VariableOfASectionThatIsNoSetting_IsNamed()
    {
        var error = Assert.Throws<ValidationException>(() => Bind("""{"Dti": {"ConceptFolder": "/c"}}""", new() { ["DTI_LIMITS__MAX_PHOTO"] = "1" }));
        Assert.Equal("Limits.MAXPHOTO is no setting. Close: MaxPhotos.", Assert.Single(error.Violations).Description);
    }

    private static DtiServerOptions Bind(string json, Hashtable environment, params KeyValuePair<string, string?>[] flags) => ServerConfiguration.Bind(new ConfigurationBuilder()
        .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)))
        .AddInMemoryCollection(ServerConfiguration.OfEnvironment(environment))
        .AddInMemoryCollection(flags)
        .Build());
}
