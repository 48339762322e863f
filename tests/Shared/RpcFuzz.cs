using System.Collections;
using System.Collections.Concurrent;
using Dti.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Tests;

/// <summary>
/// Calls every RPC of the contract with messages that nobody would send: fields at and beyond their bounds, names that
/// are paths, half of a photo, bytes that are no message at all. The same seed makes the same messages.
/// </summary>
/// <param name="address">The server.</param>
/// <param name="seed">Chooses the messages.</param>
/// <param name="photo">A picture that can be used, so that some requests get far.</param>
/// <param name="names">Names that the server knows.</param>
internal sealed class RpcFuzz(Uri address, int seed, byte[] photo, params string[] names)
{
    /// <summary>
    /// What was answered to how many calls; the reason is that of <see cref="ErrorInfo"/>, or <c>fields</c>.
    /// </summary>
    public sealed record Answer(string Method, StatusCode Status, string Reason);

    private static readonly HashSet<string> _needed =
    [
        "name",
        "photos",
        "data",
        "prompt",
        "from_concept",
        "to_concept",
        "job_id",
    ];
    private static readonly Marshaller<byte[]> _bytes = new(bytes => bytes, bytes => bytes);

    private static readonly MethodDescriptor[] _methods =
    [
        .. new[]
        {
            DtiServiceReflection.Descriptor,
            JobServiceReflection.Descriptor,
            ConceptServiceReflection.Descriptor,
            ModelServiceReflection.Descriptor,
            ServerServiceReflection.Descriptor,
            ClusterServiceReflection.Descriptor,
        }
            .SelectMany(file => file.Services)
            .SelectMany(service => service.Methods),
    ];

    /// <summary>What the documentation of errors (docs/clients.md) says may be answered.</summary>
    public static bool IsDocumented(Answer answer) =>
        answer.Status switch
        {
            StatusCode.OK => true,
            StatusCode.InvalidArgument => answer.Reason is "fields" or "MALFORMED_MESSAGE",
            StatusCode.NotFound => answer.Reason
                is "MODEL_NOT_FOUND"
                    or "VAE_NOT_FOUND"
                    or "CONCEPT_NOT_FOUND"
                    or "VERSION_NOT_FOUND"
                    or "JOB_NOT_FOUND"
                    or "TRAINING_NOT_FOUND"
                    or "NOT_FOUND",
            StatusCode.AlreadyExists => answer.Reason
                is "CONCEPT_EXISTS"
                    or "NAME_TAKEN"
                    or "FILE_EXISTS"
                    or "PLACEHOLDER_EXISTS"
                    or "CONCEPT_IN_TRAINING",
            StatusCode.FailedPrecondition => answer.Reason
                is "FAILED_PRECONDITION"
                    or "REQUEST_ID_REUSED"
                    or "NOT_A_TRAINING_JOB",
            StatusCode.ResourceExhausted => answer.Reason
                is "QUEUE_FULL"
                    or "MODEL_MEMORY_FULL"
                    or "DISK_LOW"
                    or "JOB_TOO_LARGE"
                    or "RESOURCE_EXHAUSTED"
                    or "BYTES_IN_FLIGHT"
                    or "TOO_MANY_CALLS"
                    or "TOO_MANY_FIELDS",
            StatusCode.Cancelled => answer.Reason is "JOB_CANCELLED",
            _ => false,
        };

    /// <summary>Calls.</summary>
    /// <param name="count">How many calls.</param>
    /// <param name="parallel">At once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlyDictionary<Answer, int>> RunAsync(
        int count,
        int parallel,
        CancellationToken cancellationToken
    )
    {
        var answers = new ConcurrentDictionary<Answer, int>();
        using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { MaxReceiveMessageSize = null });
        var invoker = channel.CreateCallInvoker();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken },
            async (number, token) =>
            {
                var random = new Random(unchecked((seed * 1_000_003) + number));
                var method = _methods[random.Next(_methods.Length)];
                var answer = await CallAsync(invoker, method, Message(random, method.InputType), token);
                answers.AddOrUpdate(answer, 1, (_, before) => before + 1);
            }
        );
        return answers;
    }

    private static async Task<Answer> CallAsync(
        CallInvoker invoker,
        MethodDescriptor method,
        byte[] request,
        CancellationToken cancellationToken
    )
    {
        var options = new CallOptions(deadline: DateTime.UtcNow.AddSeconds(60), cancellationToken: cancellationToken);
        var call = new Method<byte[], byte[]>(
            method.IsServerStreaming ? MethodType.ServerStreaming : MethodType.Unary,
            method.Service.FullName,
            method.Name,
            _bytes,
            _bytes
        );
        var name = $"{method.Service.Name}/{method.Name}";
        try
        {
            if (!method.IsServerStreaming)
            {
                await invoker.AsyncUnaryCall(call, null, options, request);
                return new Answer(name, StatusCode.OK, "");
            }

            using var stream = invoker.AsyncServerStreamingCall(call, null, options, request);
            while (await stream.ResponseStream.MoveNext(cancellationToken)) { }

            return new Answer(name, StatusCode.OK, "");
        }
        catch (RpcException refused)
        {
            var status = refused.GetRpcStatus();
            var reason = status?.GetDetail<ErrorInfo>()?.Reason
                ?? (
                    status?.GetDetail<BadRequest>() is { FieldViolations.Count: > 0 } ? "fields" : refused.Status.Detail
                );
            return new Answer(name, refused.StatusCode, reason);
        }
    }

    private byte[] Message(Random random, MessageDescriptor type)
    {
        var message =
            random.Next(3) > 0 && Sensible(random, type) is { } sensible
                ? Changed(random, sensible, 0)
                : Any(random, type, 0);
        return random.Next(6) == 0 ? Damaged(random, message.ToByteArray()) : message.ToByteArray();
    }

    /// <summary>A request that would do, as little as it may ask; null: of another kind.</summary>
    private IMessage? Sensible(Random random, MessageDescriptor type)
    {
        var draw = new GenerationOptions
        {
            Prompt = "a photo of <one>",
            Width = 64,
            Height = 64,
            Steps = 1,
            Seed = 1,
        };
        return type.Name switch
        {
            nameof(TrainRequest) => new TrainRequest
            {
                Name = names[random.Next(2)],
                Overwrite = true,
                Photos = { new Photo { Data = ByteString.CopyFrom(photo) } },
                Options = new TrainingOptions
                {
                    Steps = 1,
                    BatchSize = 1,
                    Resolution = 64,
                    PreviewEvery = 0,
                    Initializer = "dog",
                },
            },
            nameof(GenerateRequest) => new GenerateRequest { Options = draw },
            nameof(InterpolateRequest) => new InterpolateRequest
            {
                FromConcept = names[0],
                ToConcept = names[1],
                Frames = 2,
                Options = draw,
            },
            _ => null,
        };
    }

    /// <summary>With a field or two of it, or of what it holds, as nobody would have them.</summary>
    private IMessage Changed(Random random, IMessage message, int depth)
    {
        for (var times = random.Next(3); times > 0; times--)
        {
            var fields = message.Descriptor.Fields.InFieldNumberOrder();
            var field = fields[random.Next(fields.Count)];
            if (
                field is { FieldType: FieldType.Message, IsRepeated: false }
                && field.Accessor.GetValue(message) is IMessage inner
            )
            {
                Changed(random, inner, depth + 1);
            }
            else if (field.IsRepeated)
            {
                ((IList)field.Accessor.GetValue(message)).Add(Value(random, field, depth));
            }
            else
            {
                field.Accessor.SetValue(message, Value(random, field, depth));
            }
        }

        return message;
    }

    private IMessage Any(Random random, MessageDescriptor type, int depth)
    {
        var message = (IMessage)Activator.CreateInstance(type.ClrType)!;
        var share = Math.Pow(random.NextDouble(), 3); // most messages say little more than they must, some everything
        foreach (
            var field in type
                .Fields.InFieldNumberOrder()
                .Where(field =>
                    random.NextDouble() < (_needed.Contains(field.Name) ? Math.Max(share, 0.8) : share) && depth < 6
                )
        )
        {
            if (field.IsRepeated)
            {
                var list = (IList)field.Accessor.GetValue(message);
                for (var left = random.Next(8) == 0 ? 60 : random.Next(4); left > 0; left--)
                {
                    list.Add(Value(random, field, depth));
                }
            }
            else
            {
                field.Accessor.SetValue(message, Value(random, field, depth));
            }
        }

        return message;
    }

    private object Value(Random random, FieldDescriptor field, int depth) =>
        field.FieldType switch
        {
            FieldType.Message => Any(random, field.MessageType, depth + 1),
            FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, random.Next(-1, 8)),
            FieldType.Bool => random.Next(2) == 0,
            FieldType.String => Text(random, field.Name),
            FieldType.Bytes => ByteString.CopyFrom(Bytes(random)),
            FieldType.Int32 => Pick<int>(random, 0, 1, 2, 8, 64, 72, -1, int.MinValue, int.MaxValue, random.Next()),
            FieldType.Int64 => Pick<long>(random, 0L, 1, -1, long.MinValue, long.MaxValue, random.NextInt64()),
            FieldType.UInt32 => Pick<uint>(random, 0u, 1, uint.MaxValue, (uint)random.Next()),
            FieldType.UInt64 or FieldType.Fixed64 => Pick<ulong>(
                random,
                0ul,
                1,
                ulong.MaxValue,
                (ulong)random.NextInt64()
            ),
            FieldType.Float => Pick<float>(
                random,
                0f,
                1,
                -1,
                0.5f,
                float.NaN,
                float.PositiveInfinity,
                float.Epsilon,
                float.MaxValue
            ),
            FieldType.Double => Pick<double>(
                random,
                0d,
                1,
                -1,
                0.5,
                7.5,
                double.NaN,
                double.NegativeInfinity,
                double.Epsilon,
                double.MaxValue
            ),
            _ => throw new NotSupportedException($"{field.FullName} is {field.FieldType}"),
        };

    private string Text(Random random, string field) =>
        random.Next(20) switch
        {
            0 => "",
            1 => "../../etc/passwd",
            2 => new string('x', random.Next(20_000)),
            3 => "\0\u0007\u001b[31m\u202e",
            4 => "<one> (a:1.3) embedding:one <two> ((b",
            5 => "CON.", // a device of Windows
            6 => "𝕯𝖙𝖎 😀 e\u0301 \uFFFF",
            7 => $"{field}-{random.Next(4)}",
            8 => "a photo of a {}",
            _ => names[random.Next(names.Length)],
        };

    private byte[] Bytes(Random random)
    {
        var bytes = new byte[random.Next(64)];
        random.NextBytes(bytes);
        return random.Next(8) switch
        {
            0 => [],
            1 => bytes,
            2 => Damaged(random, photo),
            _ => photo,
        };
    }

    /// <summary>Some bytes changed, left out or put in, or the end cut off.</summary>
    private static byte[] Damaged(Random random, byte[] bytes)
    {
        var damaged = new List<byte>(bytes);
        for (var times = random.Next(1, 6); times > 0; times--)
        {
            var at = random.Next(damaged.Count + 1);
            switch (random.Next(4))
            {
                case 0 when at < damaged.Count:
                    damaged[at] = (byte)random.Next(256);
                    break;
                case 1 when at < damaged.Count:
                    damaged.RemoveAt(at);
                    break;
                case 2:
                    damaged.Insert(at, (byte)random.Next(256));
                    break;
                default:
                    damaged.RemoveRange(at, damaged.Count - at);
                    break;
            }
        }

        return [.. damaged];
    }

    private static object Pick<T>(Random random, params T[] values)
        where T : notnull => values[random.Next(values.Length)];
}
