using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Diagnosis;
using Dti.Server.Security;
using Dti.Tests;

namespace Dti.Server.Tests.Security;

/// <summary>What a server refuses to start with, and what it says.</summary>
public sealed class StartTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-start-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.0.2.1")]
    public void Build_AnotherAddressAndNothingElse_SaysHowToGetBoth(string address)
    {
        var violations = Violations(new SecurityOptions { TokenFile = Path.Combine(_folder, "none.json") }, address);

        Assert.Equal(["Address", "Security.TokenFile"], violations.Select(violation => violation.Field));
        Assert.Contains("--tls-cert and --tls-key", violations[0].Description, StringComparison.Ordinal);
        Assert.Contains("dti tokens create", violations[1].Description, StringComparison.Ordinal);
    }

    /// <summary>The server was open where it could not see whether there are tokens.</summary>
    [Fact]
    public void Build_TokenFileThatCannotBeSeen_IsRefused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right there");
        var loop = Path.Combine(_folder, "loop");
        File.CreateSymbolicLink(loop, loop);
        var tokens = Path.Combine(loop, "tokens.json");

        Assert.Equal(["Security.TokenFile"], Fields(new SecurityOptions { TokenFile = tokens }, "127.0.0.1"));
        Assert.Throws<DtiException>(() => new AccessTokens(tokens).List());
        Assert.DoesNotContain(
            AccessFindings.Of(
                new DtiServerOptions
                {
                    ConceptFolder = _folder,
                    Security = new SecurityOptions { TokenFile = tokens },
                },
                DateTimeOffset.UtcNow
            ),
            finding => finding.State == FindingState.Good
        );
    }

    [Fact]
    public void Build_AnotherAddressWithTlsAlone_WantsAToken()
    {
        var (certificate, key) = Pair("server");
        Assert.Equal(
            ["Security.TokenFile"],
            Fields(new SecurityOptions { TlsCertificate = certificate, TlsKey = key })
        );
    }

    [Fact]
    public void Build_AnotherAddressWhoseTokensAreAllRevoked_WantsAToken()
    {
        var (certificate, key) = Pair("server");
        var tokens = new AccessTokens(Path.Combine(_folder, "tokens.json"));
        tokens.Create("a", ["read"]);
        tokens.Revoke("a");
        Assert.Equal(
            ["Security.TokenFile"],
            Fields(
                new SecurityOptions
                {
                    TlsCertificate = certificate,
                    TlsKey = key,
                    TokenFile = Path.Combine(_folder, "tokens.json"),
                }
            )
        );
    }

    [Fact]
    public void Build_AnotherAddressWithATokenAlone_WantsTls()
    {
        new AccessTokens(Path.Combine(_folder, "tokens.json")).Create("a", ["read"]);
        Assert.Equal(["Address"], Fields(new SecurityOptions { TokenFile = Path.Combine(_folder, "tokens.json") }));
    }

    [Fact]
    public void Build_HalfACertificate_NamesTheOtherHalf()
    {
        var (certificate, key) = Pair("server");
        Assert.Equal(["Security.TlsKey"], Fields(new SecurityOptions { TlsCertificate = certificate }, "127.0.0.1"));
        Assert.Equal(["Security.TlsCertificate"], Fields(new SecurityOptions { TlsKey = key }, "127.0.0.1"));
    }

    [Fact]
    public void Build_FilesThatDoNotDo_NamesThemAllAtOnce()
    {
        var (certificate, _) = Pair("server");
        var (_, otherKey) = Pair("other");
        var broken = Path.Combine(_folder, "broken.json");
        File.WriteAllText(broken, "{");

        var violations = Violations(
            new SecurityOptions
            {
                TlsCertificate = certificate,
                TlsKey = otherKey,
                ClientCa = Path.Combine(_folder, "nowhere.pem"),
                TokenFile = broken,
                OwnerToken = "short",
            },
            "127.0.0.1"
        );

        Assert.Equal(
            ["Security.TlsCertificate", "Security.ClientCa", "Security.TokenFile", "Security.OwnerToken"],
            violations.Select(violation => violation.Field)
        );
        Assert.Contains("not the private key of the certificate", violations[0].Description, StringComparison.Ordinal);
        Assert.Contains("nowhere.pem", violations[1].Description, StringComparison.Ordinal);
        Assert.Contains(broken, violations[2].Description, StringComparison.Ordinal);
        Assert.DoesNotContain("short'", violations[3].Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_FilesThatAreNotThere_NamesEach()
    {
        var (certificate, key) = (Path.Combine(_folder, "nope.pem"), Path.Combine(_folder, "nope.key"));

        var both = Violations(new SecurityOptions { TlsCertificate = certificate, TlsKey = key }, "127.0.0.1");
        var half = Violations(new SecurityOptions { TlsCertificate = certificate }, "127.0.0.1");

        Assert.Equal(["Security.TlsCertificate", "Security.TlsKey"], both.Select(violation => violation.Field));
        Assert.Equal(
            (true, true),
            (
                both[0].Description.Contains(certificate, StringComparison.Ordinal),
                both[1].Description.Contains(key, StringComparison.Ordinal)
            )
        );
        Assert.Equal(
            [both[0].Description, "The certificate needs its private key (--tls-key)."],
            half.Select(violation => violation.Description)
        );
    }

    [Fact]
    public void Build_KeyWithAPassword_SaysHowToTakeItOff()
    {
        using var certificate = Certificates.For(IPAddress.Loopback);
        var (file, keyFile) = Certificates.Write(_folder, "locked", certificate);
        using var key = certificate.GetECDsaPrivateKey();
        File.WriteAllText(
            keyFile,
            key!.ExportEncryptedPkcs8PrivateKeyPem(
                "password",
                new(
                    System.Security.Cryptography.PbeEncryptionAlgorithm.Aes128Cbc,
                    System.Security.Cryptography.HashAlgorithmName.SHA256,
                    1
                )
            )
        );

        Assert.Contains(
            "openssl pkey",
            Assert
                .Single(Violations(new SecurityOptions { TlsCertificate = file, TlsKey = keyFile }, "127.0.0.1"))
                .Description,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Doctor_CertificateThatEndsSoonAndFilesThatOthersTouch_SaysWhatToDo()
    {
        var (certificate, key) = Pair("server"); // good for an hour
        var tokens = Path.Combine(_folder, "tokens.json");
        new AccessTokens(tokens).Create("a", ["read"], TimeSpan.FromTicks(1));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(key, File.GetUnixFileMode(key) | UnixFileMode.GroupRead);
            File.SetUnixFileMode(tokens, File.GetUnixFileMode(tokens) | UnixFileMode.GroupWrite);
        }

        var found = Findings(DateTimeOffset.UtcNow).ToDictionary(finding => finding.Name);

        Assert.Equal(FindingState.Doubtful, found["certificate"].State);
        Assert.Contains("has no good token", found["callers"].Text, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                ($"chmod 600 {key}", $"chmod 600 {tokens}"),
                (found["private key"].Remedy, found["token file"].Remedy)
            );
        }

        Assert.Equal(FindingState.Broken, Findings(DateTimeOffset.UtcNow.AddDays(1)).First().State);
        Assert.Equal(FindingState.Good, Findings(DateTimeOffset.UtcNow.AddDays(-30)).First().State);

        IEnumerable<Finding> Findings(DateTimeOffset now) =>
            AccessFindings.Of(
                new DtiServerOptions
                {
                    ConceptFolder = _folder,
                    Security = new()
                    {
                        TlsCertificate = certificate,
                        TlsKey = key,
                        TokenFile = tokens,
                    },
                },
                now
            );
    }

    [Fact]
    public void Options_AsText_KeepTheSecret() =>
        Assert.DoesNotContain(
            "secret",
            new DtiServerOptions
            {
                ConceptFolder = "x",
                Security = new() { OwnerToken = "secret" },
            }.ToString(),
            StringComparison.Ordinal
        );

    private (string Certificate, string Key) Pair(string name)
    {
        using var certificate = Certificates.For(IPAddress.Loopback);
        return Certificates.Write(_folder, name, certificate);
    }

    private IEnumerable<string> Fields(SecurityOptions security, string address = "0.0.0.0") =>
        Violations(security, address).Select(violation => violation.Field);

    private IReadOnlyList<FieldViolation> Violations(SecurityOptions security, string address) =>
        Assert
            .Throws<ValidationException>(() =>
                DtiHost.Build(
                    new DtiServerOptions
                    {
                        ConceptFolder = _folder,
                        Address = address,
                        Security = security,
                    }
                )
            )
            .Violations;
}
