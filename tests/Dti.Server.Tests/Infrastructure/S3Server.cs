using System.Diagnostics;
using System.Globalization;
using Dti.Server.Configuration;
using Dti.Tests;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>A private server with the interface of S3 (s3rver), which has a bucket <see cref="Bucket"/>.</summary>
internal sealed class S3Server : LocalService
{
    public const string Bucket = "dti-tests";

    private const string KeyId = "S3RVER"; // the only key that it knows
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    private S3Server(DirectoryInfo folder, int port, string[] command)
        : base("s3rver", folder, port, "TERM", command, _patience) =>
        Endpoint = $"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Its address.</summary>
    public string Endpoint { get; }

    /// <summary>Starts it; skips the test where Node.js is not installed.</summary>
    public static async Task<S3Server> StartNewAsync()
    {
        var hasNode = new[] { "node", "npm", "bash" }.All(name => Find(name) is not null);
        Assert.SkipUnless(hasNode, "needs Node.js 18 or newer with npm, install with apt-get install nodejs npm");
        var program = await InstallAsync();
        var (folder, port) = (Directory.CreateTempSubdirectory("dti-s3-"), FreePort());
        var server = new S3Server(
            folder,
            port,
            [
                "node",
                "--openssl-legacy-provider", // it signs the tokens of lists with DES
                program,
                "--directory",
                folder.FullName,
                "--address",
                "127.0.0.1",
                "--port",
                port.ToString(CultureInfo.InvariantCulture),
                "--configure-bucket",
                Bucket,
                "--silent",
            ]
        );
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

    /// <summary>Whether there are objects whose keys begin with a prefix, which ends with a slash.</summary>
    public bool Holds(string prefix) =>
        new DirectoryInfo(Path.Combine(Folder.FullName, Bucket, prefix)) is { Exists: true } found
        && found.EnumerateFiles("*", SearchOption.AllDirectories).Any();

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
