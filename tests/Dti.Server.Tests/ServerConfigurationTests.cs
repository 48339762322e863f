using System.Collections;
using System.Text;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace Dti.Server.Tests;

public class ServerConfigurationTests
{
    [Fact]
    public void Bind_FileEnvironmentAndFlags_TheLastWordIsTheLast()
    {
        var options = Bind(
            """{"Dti": {"ConceptFolder": "/of/file", "Port": 1, "WebPort": 1, "MetricsPort": 1, "WebOrigins": ["http://a"], "Limits": {"MaxPhotos": 7}, "ImageLimits": {"MaxSide": 99}}}""",
            new()
            {
                ["DTI_WEB_PORT"] = "2",
                ["DTI_METRICSPORT"] = "2",
                ["DTI_LIMITS__MAX_BATCH_SIZE"] = "3",
                ["DTI_SERVER"] = "http://elsewhere",
                ["PATH"] = "/bin",
            },
            ServerConfiguration.Setting("MetricsPort", "3")
        );

        Assert.Equal(
            ("/of/file", 1, 2, 3),
            (options.ConceptFolder, options.Port, options.WebPort, options.MetricsPort)
        );
        Assert.Equal(["http://a"], options.WebOrigins);
        Assert.Equal(
            (7, 3, 64, 99),
            (
                options.Limits.MaxPhotos,
                options.Limits.MaxBatchSize,
                options.Limits.MaxPictures,
                options.ImageLimits.MaxSide
            )
        );
    }

    [Fact]
    public void Bind_Home_IsADefaultThatTheFileOverrules()
    {
        var options = Bind(
            """{"Dti": {"ConceptFolder": "/of/file", "JobFolder": "/of/file/too"}}""",
            new() { ["DTI_HOME"] = "home" }
        );
        Assert.Equal(("/of/file", "/of/file/too"), (options.ConceptFolder, options.JobFolder));
    }

    [Fact]
    public void Bind_ListOfSeveralSources_IsThatOfTheLast()
    {
        const string File =
            """{"Dti": {"ConceptFolder": "/c", "ModelFolders": ["/of/file", "/mixed/in", "/too"], "WebOrigins": ["http://a", "http://b"]}}""";
        Hashtable environment = new() { ["DTI_MODELS"] = $"a{Path.PathSeparator}b" };

        Assert.Equal([Path.GetFullPath("a"), Path.GetFullPath("b")], Bind(File, environment).ModelFolders);
        Assert.Equal(
            ["/of/flag"],
            Bind(File, environment, [.. ServerConfiguration.OfList("ModelFolders", ["/of/flag"])]).ModelFolders
        );
        Assert.Equal(["http://a", "http://b"], Bind(File, environment).WebOrigins);
    }

    [Fact]
    public void Bind_EveryKindOfMistake_NamesThemAllAtOnce()
    {
        var error = Assert.Throws<ValidationException>(() =>
            Bind(
                """{"Dti": {"ConceptFolder": "/c", "Prot": 1, "WebPort": "x", "Limits": 5, "MaxQueuedJobs": 0, "WebOrigins": "http://a", "Memory": {"a": 1}, "ImageLimits": {"MaxSides": 1}}}""",
                new() { ["DTI_LIMITS__MAX_PHOTO"] = "1", ["DTI_PORT"] = "99999" }
            )
        );

        Assert.Equal(
            new SortedSet<string>
            {
                "Prot",
                "WebPort",
                "Limits",
                "MaxQueuedJobs",
                "WebOrigins",
                "Memory",
                "ImageLimits.MaxSides",
                "Port",
            },
            new SortedSet<string>(error.Violations.Select(violation => violation.Field))
        );
        Assert.Contains("Prot is no setting. Close: Port.", error.Message, StringComparison.Ordinal);
        Assert.Contains("WebPort is 'x'; it must be a whole number.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_VariableOfASectionThatIsNoSetting_IsNamed()
    {
        var error = Assert.Throws<ValidationException>(() =>
            Bind("""{"Dti": {"ConceptFolder": "/c"}}""", new() { ["DTI_LIMITS__MAX_PHOTO"] = "1" })
        );
        Assert.Equal(
            "Limits.MAXPHOTO is no setting. Close: MaxPhotos, MaxPhotoMemoryBytes.",
            Assert.Single(error.Violations).Description
        );
    }

    [Fact]
    public void Bind_ValuesThatAreNames_AreAllChecked() =>
        Assert.Equal(
            [
                "Device 'gpu7' is not one of auto, cpu, cuda or cuda:N.",
                "Dtype 'fp8' is not one of auto, fp32, bf16 or fp16.",
                "Memory 'tiny' is not one of auto, low, balanced or high.",
            ],
            Wrong("""{"Dti": {"ConceptFolder": "/c", "Device": "gpu7", "Dtype": "fp8", "Memory": "tiny"}}""", [])
        );

    [Fact]
    public void Bind_LogLevelsThatAreNone_AreNamed() =>
        Assert.Equal(
            [
                "Logging.Console.LogLevel.Default is 'loud'; it must be one of Trace, Debug, Information, Warning, Error, Critical, None.",
                "Logging.LogLevel.Dti is 'Informational'; it must be one of Trace, Debug, Information, Warning, Error, Critical, None.",
                "Logging.LogLevel.Orleans is '9'; it must be one of Trace, Debug, Information, Warning, Error, Critical, None.",
            ],
            Wrong(
                """{"Dti": {"ConceptFolder": "/c"}, "Logging": {"LogLevel": {"Default": "warning", "Dti": "Informational"}, "Console": {"LogLevel": {"Default": "loud"}}}}""",
                new() { ["Logging__LogLevel__Orleans"] = "9" }
            )
        );

    [Fact]
    public void Bind_WhatStandsBesideTheSections_IsNamedWithWhatItMayHaveMeant() =>
        Assert.Equal(
            [
                "AllowedHosts is not read; the sections are Dti and Logging.",
                "DTI_PROT is no variable of Dti. Close: DTI_PORT.",
                "DTI_TOKNE is no variable of Dti. Close: DTI_TOKEN.",
                "Loging is not read; the sections are Dti and Logging. Close: Logging.",
                "Port belongs into the section Dti.",
            ],
            Wrong(
                """{"$schema": "x", "Port": 6180, "Loging": {"LogLevel": {"Dti": "Debug"}}, "AllowedHosts": "*", "Dti": {"ConceptFolder": "/c"}}""",
                new()
                {
                    ["DTI_PROT"] = "6",
                    ["DTI_TOKNE"] = "x",
                    ["DTI_TOKEN"] = "x",
                    ["DTI_CLIENT_KEY"] = "x",
                    ["DTI_ROOT"] = "x",
                    ["DTINOTHING"] = "x",
                }
            )
        );

    [Fact]
    public void Bind_CollectorsThatAreNone_AreNamed() =>
        Assert.Equal(
            [
                "OTEL_EXPORTER_OTLP_ENDPOINT is 'nonsense'; write it like http://localhost:4317.",
                "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL is 'http'; it must be grpc or http/protobuf.",
            ],
            Wrong(
                """{"Dti": {"ConceptFolder": "/c"}}""",
                new()
                {
                    ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "nonsense",
                    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "https://a:4317",
                    ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc",
                    ["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"] = "http",
                }
            )
        );

    private static IEnumerable<string> Wrong(string json, Hashtable environment) =>
        Assert
            .Throws<ValidationException>(() => Bind(json, environment))
            .Violations.Select(violation => violation.Description);

    private static DtiServerOptions Bind(
        string json,
        Hashtable environment,
        params KeyValuePair<string, string?>[] flags
    ) =>
        ServerConfiguration.Bind(
            new ConfigurationBuilder()
                .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)))
                .AddInMemoryCollection(ServerConfiguration.OfEnvironment(environment))
                .AddInMemoryCollection(flags)
                .Build()
        );
}
