using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Dti.Server.Security;
using Dti.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Dti.Bench.Attacks;

/// <summary>A server in a process of its own with a folder of its own, and the callers that attack it.</summary>
internal sealed class AttackedServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _log = [];
    private readonly List<GrpcChannel> _channels = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-attack-");
    private readonly Dictionary<string, string> _tokens = [];
    private readonly HttpClient _http = new();
    private Process _process = null!;

    private AttackedServer() { }

    public string Data => _folder.FullName;

    public Uri Address { get; private set; } = null!;

    public int ProcessId => _process.Id;

    /// <summary>Lines of the log that hold a text.</summary>
    public int Logged(string text) => _log.Count(line => line.Contains(text, StringComparison.Ordinal));

    /// <summary>MiB of memory now.</summary>
    public double Memory => Status("VmRSS:");

    /// <summary>MiB of memory at most so far.</summary>
    public double PeakMemory => Status("VmHWM:");

    /// <summary>Seconds of processor time so far.</summary>
    public double Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    /// <summary>Starts one.</summary>
    /// <param name="program">The built <c>dti</c>.</param>
    /// <param name="callers">Callers with a token each, which may do everything but what an admin may; none: the server
    /// needs no tokens.</param>
    /// <param name="environment">Variables for it.</param>
    /// <param name="words">Further options of <c>dti serve</c>.</param>
    public static async Task<AttackedServer> StartAsync(
        string program,
        string[] callers,
        Dictionary<string, string>? environment = null,
        params string[] words
    )
    {
        var server = new AttackedServer();
        foreach (var caller in callers)
        {
            server._tokens[caller] = new AccessTokens(Path.Combine(server.Data, "tokens.json"))
                .Create(caller, ["read", "generate", "train"])
                .Secret;
        }

        (server._process, var address, _) = await ServerProcess
            .StartAsync(program, server.Data, environment ?? [], server._log.Enqueue, words)
            .ConfigureAwait(false);
        server.Address = new Uri(address);
        return server;
    }

    /// <summary>A caller; null: one without a token.</summary>
    public CallInvoker As(string? caller = null)
    {
        var channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions { MaxReceiveMessageSize = null });
        _channels.Add(channel);
        return caller is null
            ? channel.CreateCallInvoker()
            : channel.Intercept(headers =>
            {
                headers.Add("authorization", "Bearer " + _tokens[caller]);
                return headers;
            });
    }

    /// <summary>Sends any bytes as the body of a call.</summary>
    /// <returns>The status.</returns>
    public async Task<StatusCode> SendAsync(string method, byte[] body, string? encoding = null, string? caller = null)
    {
        using var response = await OpenAsync(method, body, encoding, caller).ConfigureAwait(false);
        await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
        var code = response.TrailingHeaders.TryGetValues("grpc-status", out var trailing)
            ? trailing.First()
            : response.Headers.GetValues("grpc-status").First();
        return (StatusCode)int.Parse(code, CultureInfo.InvariantCulture);
    }

    /// <summary>Sends any bytes as the body of a call, and leaves the response open.</summary>
    public async Task<HttpResponseMessage> OpenAsync(
        string method,
        byte[] body,
        string? encoding = null,
        string? caller = null
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Address, method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") },
            },
        };
        request.Headers.TE.ParseAdd("trailers");
        if (encoding is not null)
        {
            request.Headers.Add("grpc-encoding", encoding);
        }

        if (caller is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _tokens[caller]);
        }

        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
    }

    /// <summary>The status of a call.</summary>
    public static async Task<StatusCode> CodeOf(Func<Task> call)
    {
        try
        {
            await call().ConfigureAwait(false);
            return StatusCode.OK;
        }
        catch (RpcException error)
        {
            return error.StatusCode;
        }
    }

    /// <summary>Generates an image in one step.</summary>
    public Task<StatusCode> GenerateAsync(string prompt = "a house", string? caller = null) =>
        CodeOf(async () =>
        {
            using var call = new DtiService.DtiServiceClient(As(caller)).Generate(
                new GenerateRequest
                {
                    Options = new()
                    {
                        Prompt = prompt,
                        Width = 64,
                        Height = 64,
                        Steps = 1,
                    },
                },
                deadline: DateTime.UtcNow.AddSeconds(60)
            );
            while (await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false)) { }
        });

    /// <summary>Sends a signal.</summary>
    public void Signal(string name) => Process.Start("kill", ["-" + name, $"{_process.Id}"]).WaitForExit();

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        _http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync().ConfigureAwait(false);
        }

        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private double Status(string key)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status")
            .Single(line => line.StartsWith(key, StringComparison.Ordinal));
        return long.Parse(line[key.Length..^"kB".Length].Trim(), CultureInfo.InvariantCulture) / 1024.0;
    }
}
