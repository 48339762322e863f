using Dti.Server.Configuration;
using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests.Security;

/// <summary>When a token ceases to be good.</summary>
public sealed class RevocationTests : IDisposable
{
    private static readonly string[] _user = ["read", "generate", "train"];
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-tokens-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly ErrorCollector _log = new();

    private string TokenPath => Path.Combine(_folder, "tokens.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Stream_OfARevokedToken_EndsInTheMiddle_AndTheTrainingGoesOn()
    {
        await using var server = GuardedServer.Start();
        var secret = server.Tokens.Create("alice", _user).Secret;
        using var call = new DtiService.DtiServiceClient(server.With(secret)).Train(
            TestServer.Request("hers", steps: 100_000)
        );
        var refused = await Refusal.Of(
            async () =>
            {
                await foreach (var happened in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken))
                {
                    if (happened.Progress?.Step == 1)
                    {
                        server.Tokens.Revoke("alice");
                    }
                }
            },
            StatusCode.Unauthenticated
        );

        Assert.Equal("TOKEN_REFUSED", Refusal.Reason(refused));
        var jobs = new JobService.JobServiceClient(server.With(server.Secrets[Scopes.Admin]));
        var job = Assert.Single((await jobs.ListAsync(new())).Jobs);
        Assert.Equal(JobState.Running, job.State);
        await jobs.CancelAsync(new() { JobId = job.JobId });
    }

    [Fact]
    public void Check_TokenExpires_IsRefusedFromThatMomentOn()
    {
        var secret = new AccessTokens(TokenPath, _time).Create("alice", ["read"], TimeSpan.FromDays(30)).Secret;
        var check = Check();
        Assert.Equal("alice", check.Check(secret, null).Caller?.Id);
        _time.Advance(TimeSpan.FromDays(30) - TimeSpan.FromSeconds(1));
        Assert.NotNull(check.Check(secret, null).Caller);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(check.Check(secret, null).Caller);
    }

    [Fact]
    public void Check_OwnerToken_IsTheLocalOwnerAndNobodyElseIs()
    {
        var secret = AccessTokens.NewSecret();
        var check = Check(secret);
        Assert.Equal(Caller.Local, check.Check(secret, null).Caller);
        Assert.Null(check.Check(null, null).Caller);
        Assert.Null(check.Check(secret + "x", null).Caller);
    }

    [Fact]
    public void Check_LastTokenRevokedOrFileGone_StaysClosed()
    {
        var tokens = new AccessTokens(TokenPath, _time);
        var check = Check();
        Assert.Equal(Caller.Local, check.Check(null, null).Caller); // there is no file yet
        tokens.Create("alice", ["read"]);
        Assert.Null(check.Check(null, null).Caller);
        tokens.Revoke("alice");
        Assert.Null(check.Check(null, null).Caller);
        File.Delete(TokenPath);
        Assert.Null(check.Check(null, null).Caller);
        Assert.Empty(_log.Found);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"tokens\": [{\"name\": \"a\"}]}")]
    [InlineData("{\"tokens\": [{\"name\": \"a\", \"caller\": \"a\", \"scopes\": [\"all\"], \"sha256\": \"00\"}]}")]
    [InlineData("{\"tokens\": [null]}")]
    public void Check_FileThatIsNoTokenFile_LetsNobodyInAndSaysSoOnce(string content)
    {
        var check = Check();
        File.WriteAllText(TokenPath, content);
        Assert.Null(check.Check(null, null).Caller);
        Assert.Null(check.Check("x", null).Caller);
        Assert.Contains(TokenPath, Assert.Single(_log.Found), StringComparison.Ordinal);

        File.Delete(TokenPath);
        var secret = new AccessTokens(TokenPath, _time).Create("alice", ["read"]).Secret;
        Assert.NotNull(check.Check(secret, null).Caller); // it is good again
    }

    /// <summary>A stream that ended while its token was checked took the server's process with it.</summary>
    [Fact]
    public void Later_ContextOfTheCallDisposed_StillSaysWhetherTheTokenIsGood()
    {
        var tokens = new AccessTokens(TokenPath, _time);
        var secret = tokens.Create("alice", ["read"]).Secret;
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        features.Set<IHttpConnectionFeature>(new HttpConnectionFeature());
        var call = new DefaultHttpContext(features);
        call.Request.Headers.Authorization = $"Bearer {secret}";
        var callerNow = Check().Later(call);

        call.Uninitialize();

        Assert.Equal("alice", callerNow(TimeSpan.Zero)?.Id);
        tokens.Revoke("alice");
        Assert.Null(callerNow(TimeSpan.Zero));
    }

    [Fact]
    public void Tokens_MadeByManyAtOnce_AreAllKept()
    {
        Parallel.For(0, 16, i => new AccessTokens(TokenPath, _time).Create($"t{i}", ["read"]));
        Assert.Equal(16, new AccessTokens(TokenPath, _time).List().Count);
    }

    [Fact]
    public void Reloaded_FilesThatDoNotDo_LeaveWhatWasThereAndAreTriedAgainWhenTheyChange()
    {
        var file = Path.Combine(_folder, "number");
        File.WriteAllText(file, "1");
        using var logging = LoggerFactory.Create(builder => builder.AddProvider(_log));
        var number = new ReloadedFiles<int>(
            [file],
            () =>
                int.TryParse(File.ReadAllText(file), out var read)
                    ? read
                    : throw new Engine.DtiException(Engine.ErrorKind.FailedPrecondition, "no number"),
            _time,
            logging.CreateLogger("test")
        );
        Assert.Equal(1, number.Value);

        File.WriteAllText(file, "x");
        Assert.Equal(1, number.Value);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(1, number.Value);
        File.WriteAllText(file, "2");
        Assert.Equal(1, number.Value); // not looked at again yet
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(2, number.Value);
        File.Delete(file);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(2, number.Value);
    }

    private TokenCheck Check(string? ownerToken = null)
    {
        var logging = LoggerFactory.Create(builder => builder.AddProvider(_log));
        return new TokenCheck(
            new DtiServerOptions
            {
                ConceptFolder = _folder,
                Security = new() { TokenFile = TokenPath, OwnerToken = ownerToken },
            },
            _time,
            logging.CreateLogger<TokenCheck>()
        );
    }
}
