using System.Reflection;
using Dti.Server.Jobs.Grains;

namespace Dti.Server.Tests.Clusters.Contract;

/// <summary>
/// What hosts of a cluster send to each other and store, one line for each type, member and grain method, by the aliases
/// and ids that identify them.
/// </summary>
internal static class WireContract
{
    private static readonly Assembly _server = typeof(JobRecord).Assembly;

    /// <summary>Types that are serialized.</summary>
    public static IReadOnlyList<Type> Types =>
        [.. _server.GetTypes().Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null)];

    /// <summary>Grains and observers.</summary>
    public static IReadOnlyList<Type> Interfaces =>
        [
            .. _server
                .GetTypes()
                .Where(type => type.IsInterface && typeof(Orleans.Runtime.IAddressable).IsAssignableFrom(type)),
        ];

    /// <summary>Every line.</summary>
    public static IReadOnlyList<string> Lines =>
        [.. Types.SelectMany(OfType).Concat(Interfaces.SelectMany(OfInterface)).Order(StringComparer.Ordinal)];

    /// <summary>Members and methods without an alias or id, by which an older or newer host would not know them.</summary>
    public static IReadOnlyList<string> Unidentified =>
        [
            .. Types.Concat(Interfaces).Where(type => AliasOf(type) is null).Select(type => type.FullName!),
            .. Types.SelectMany(Stored).Where(member => IdOf(member) is null).Select(Name),
            .. Interfaces.SelectMany(type => type.GetMethods()).Where(method => AliasOf(method) is null).Select(Name),
        ];

    private static IEnumerable<string> OfType(Type type) =>
        type.IsEnum
            ? Enum.GetValues(type).Cast<object>().Select(value => $"{AliasOf(type)} = {value} {(int)value}")
            : Stored(type)
                .Select(member => $"{AliasOf(type)} {IdOf(member)} {Text(TypeOf(member))}")
                .DefaultIfEmpty($"{AliasOf(type)}");

    private static IEnumerable<string> OfInterface(Type type) =>
        type.GetMethods()
            .Select(method =>
                $"{AliasOf(type)} {AliasOf(method)}({string.Join(", ", method.GetParameters().Select(given => Text(given.ParameterType)))}) {Text(method.ReturnType)}"
            );

    // Automatic properties and fields, except what is marked as not serialized.
    private static IEnumerable<MemberInfo> Stored(Type type) =>
        type.IsEnum || typeof(Exception).IsAssignableFrom(type)
            ? []
            : type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
                .Where(field =>
                    field.GetCustomAttribute<NonSerializedAttribute>() is null && field.DeclaringType == type
                )
                .Select(field => PropertyOf(type, field) ?? (MemberInfo)field);

    private static PropertyInfo? PropertyOf(Type type, FieldInfo field) =>
        field.Name.StartsWith('<')
            ? type.GetProperty(
                field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)],
                BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public
            )
            : null;

    private static uint? IdOf(MemberInfo member) => member.GetCustomAttribute<IdAttribute>()?.Id;

    private static string? AliasOf(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>()?.Alias;

    private static string Name(MemberInfo member) => $"{member.DeclaringType}.{member.Name}";

    private static Type TypeOf(MemberInfo member) =>
        member is PropertyInfo property ? property.PropertyType : ((FieldInfo)member).FieldType;

    // By alias, as a renamed type is the same on the wire.
    private static string Text(Type type) =>
        AliasOf(type) is { } alias ? alias
        : type.IsArray ? $"{Text(type.GetElementType()!)}[]"
        : type.IsGenericType
            ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Text))}>"
        : type.Name;
}
