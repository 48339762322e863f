using System.Collections;
using Dti.Engine;
using Dti.Server.Configuration;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Dti.Server.Services;

/// <summary>
/// Refuses requests with longer texts or lists than <see cref="RequestBounds"/> allows, before their services see them.
/// </summary>
internal sealed class BoundsInterceptor : Interceptor
{
    private const int MaxFound = 32; // a status names at most 31

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request,
        ServerCallContext context,
        UnaryServerMethod<TRequest, TResponse> continuation
    )
    {
        Check(request);
        return continuation(request, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation
    )
    {
        Check(request);
        return continuation(request, responseStream, context);
    }

    private static void Check(object request)
    {
        if (request is IMessage message && Violations(message) is { Count: > 0 } found)
        {
            throw new ValidationException(found);
        }
    }

    /// <summary>Everything in a request that is too long.</summary>
    internal static List<FieldViolation> Violations(IMessage request)
    {
        var found = new List<FieldViolation>();
        var total = 0L;
        Look(request, "");
        if (found.Count == 0 && total > RequestBounds.MaxTexts)
        {
            found.Add(
                new FieldViolation(
                    "",
                    $"The texts of the request have {total} characters together; at most {RequestBounds.MaxTexts} are read."
                )
            );
        }

        return found;

        void Look(IMessage message, string path)
        {
            foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
            {
                if (field.FieldType is not (FieldType.String or FieldType.Message) && !field.IsRepeated)
                {
                    continue;
                }

                var (value, name) = (field.Accessor.GetValue(message), path + field.Name);
                if (value is IList list)
                {
                    if (list.Count > RequestBounds.MaxItems)
                    {
                        Add(name, $"{name} has {list.Count} items; at most {RequestBounds.MaxItems} are read.");
                        continue;
                    }

                    for (var i = 0; i < list.Count; i++)
                    {
                        One(field, list[i], $"{name}[{i}]");
                    }
                }
                else
                {
                    One(field, value, name);
                }
            }
        }

        void One(FieldDescriptor field, object? value, string name)
        {
            if (value is string text)
            {
                total += text.Length;
                if (text.Length > RequestBounds.MaxLength(field.Name))
                {
                    Add(
                        name,
                        $"{name} has {text.Length} characters; at most {RequestBounds.MaxLength(field.Name)} are read."
                    );
                }
            }
            else if (value is IMessage inner)
            {
                Look(inner, name + ".");
            }
        }

        void Add(string field, string description)
        {
            if (found.Count < MaxFound)
            {
                found.Add(new FieldViolation(field, description));
            }
        }
    }
}
