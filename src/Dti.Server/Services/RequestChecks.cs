using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Dti.Engine;
using Dti.Engine.Runtime.Devices;
using Dti.Server.Configuration;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Dti.Server.Services;

/// <summary>Collects what is wrong with a request from several checks, so that one reply names all of it.</summary>
internal sealed partial class RequestChecks
{
    private readonly List<FieldViolation> _found = [];
    private DtiException? _notFound;

    /// <summary>Adds a violation if the condition does not hold.</summary>
    public void Require(bool condition, string field, string description)
    {
        if (!condition)
        {
            _found.Add(new FieldViolation(field, description));
        }
    }

    /// <summary>Adds what asks for more than this server allows.</summary>
    public void Add(IEnumerable<FieldViolation>? beyond) => _found.AddRange(beyond ?? []);

    /// <summary>Adds a violation if a given value is none that the contract names.</summary>
    public void Known<T>(bool given, T value, string field)
        where T : struct, Enum
    {
        if (given && (!Enum.IsDefined(value) || Convert.ToInt32(value, CultureInfo.InvariantCulture) == 0))
        {
            string[] names =
            [
                .. typeof(T)
                    .GetFields(BindingFlags.Public | BindingFlags.Static)
                    .Select(known => known.GetCustomAttribute<OriginalNameAttribute>()!.Name),
            ];
            var prefix = names[0].Length - "UNSPECIFIED".Length;
            var words = names.Skip(1).Select(name => name[prefix..]).ToArray();
            Require(
                false,
                field,
                $"{field[(field.LastIndexOf('.') + 1)..]} must be {string.Join(", ", words[..^1])} or {words[^1]}."
            );
        }
    }

    /// <summary>Runs a check of the engine; its violations are collected.</summary>
    /// <param name="check">The check.</param>
    /// <param name="prefix">What the request's fields have in front.</param>
    /// <param name="unprefixed">Fields that have not.</param>
    /// <returns>What the check returned; the default if it found something.</returns>
    public T? Try<T>(Func<T> check, string prefix = "", params string[] unprefixed)
    {
        try
        {
            return check();
        }
        catch (ValidationException error)
        {
            _found.AddRange(
                error.Violations.Select(violation =>
                    unprefixed.Contains(violation.Field)
                        ? violation
                        : violation with
                        {
                            Field = prefix + violation.Field,
                        }
                )
            );
        }
        catch (DtiException error) when (error.Kind == ErrorKind.InvalidArgument)
        {
            _found.Add(new FieldViolation(prefix + error.Field, error.Message));
        }
        catch (DtiException error) when (error.Kind == ErrorKind.NotFound)
        {
            _notFound ??= error; // a name that does not exist: reported only if nothing else is wrong
        }

        return default;
    }

    /// <summary>The target of a request.</summary>
    public ComputeTarget? Target(DtiServerOptions options, bool given, string dtype) =>
        Try(() => ComputeTarget.Resolve(options.Device, given ? dtype : options.Dtype), "options.");

    /// <summary>Throws what was found.</summary>
    /// <exception cref="DtiException">Something is wrong.</exception>
    public void ThrowIfAny()
    {
        if (_found.Count > 0)
        {
            throw new ValidationException(_found);
        }

        if (_notFound is not null)
        {
            throw _notFound;
        }
    }

    public static bool IsRequestId(string requestId) => requestId.Length == 0 || RequestId().IsMatch(requestId);

    public static string Fingerprint(IMessage message)
    {
        using var hash = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write))
        {
            message.WriteTo(stream); // no second copy of the photos
        }

        return Convert.ToHexString(hash.Hash!);
    }

    /// <summary>A seed that every client can hold exactly, JavaScript's numbers included.</summary>
    public static ulong NewSeed() => (ulong)RandomNumberGenerator.GetInt32(int.MaxValue);

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex RequestId();
}
