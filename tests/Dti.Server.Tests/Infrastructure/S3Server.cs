using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dti.Server.Configuration;
using Dti.Tests;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>
/// A private server with the interface of S3 (s3rver) on a free port, with a bucket <see cref="Bucket"/> and a folder of
/// its own. It ends with the test, and with the process of the tests however that ends.
/// </summary>
internal sealed class S3Server : IAsyncDisposable
{
    public const string Bucket = "dti-tests";

    private const string KeyId = "S3RVER"; // the only key that it knows
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-s3-");
    private readonly int _port = DatabaseServer.FreePort();
    private readonly string[] _command;
    private Process? _process;

    private S3Server(string program)
    {
        _command =
        [
            "node",
            "--openssl-legacy-provider", // it signs the tokens of lists with DES
            program,
            "--directory",
            _folder.FullName,
            "--address",
            "127.0.0.1",
            "--port",
            _port.ToString(CultureInfo.InvariantCulture),
            "--configure-bucket",
            Bucket,
            "--silent",
        ];
    }

    /// <summary>Its address.</summary>
    public string Endpoint => $"http://127.0.0.1:{_port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Starts it; skips the test where Node.js is not installed.</summary>
    public static async Task<S3Server> StartNewAsync()
    {
        var hasNode = new[] { "node", "npm", "bash" }.All(name =>
            DatabaseServer.Find(name, DatabaseServer.Paths) is not null
        );
        Assert.SkipUnless(hasNode, "needs Node.js 18 or newer with npm, install with apt-get install nodejs npm");
        var server = new S3Server(await InstallAsync());
        await server.StartAsync();
        return server;
    }

    /// <summary>A cluster's settings with its storage here.</summary>
    public ClusterOptions In(ClusterOptions cluster, string prefix = "") =>
        cluster with
        {
            Storage = $"s3://{Bucket}/{prefix}",
            StorageEndpoint = Endpoint,
            StorageKeyId = KeyId,
            StorageSecret = KeyId,
        };

    /// <summary>Starts it again with its objects, after <see cref="StopAsync"/>.</summary>
    public async Task StartAsync()
    {
        _process = DatabaseServer.StartWatched("TERM", _command);
        for (var began = Stopwatch.GetTimestamp(); !await AnswersAsync(); )
        {
            Assert.False(_process.HasExited, "s3rver ended");
            Assert.True(Stopwatch.GetElapsedTime(began) < _patience, "s3rver does not answer");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Stops it at once.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.StandardInput.Close();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, _port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Installs the version that the checks pin, once.</summary>
    private static async Task<string> InstallAsync()
    {
        const string install = "root=$1; . \"$root/eng/checks/node.bash\"; echo \"$node_modules/s3rver/bin/s3rver.js\"";
        using var process = Process.Start(
            new ProcessStartInfo("bash", ["-euc", install, "install", Fixtures.Repository])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"s3rver cannot be installed: {await errors}");
        return output.Trim();
    }
}
