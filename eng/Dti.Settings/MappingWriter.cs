using Microsoft.CodeAnalysis;

namespace Dti.Settings;

/// <summary>Messages to the engine's records, and back.</summary>
internal static class MappingWriter
{
    public static string Write(Contract contract, MarkedType type, AttributeData attribute)
    {
        var record = MarkedType.Argument(attribute);
        var message = record.Name;
        var engine = record.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        var properties = record.GetMembers().OfType<IPropertySymbol>().ToDictionary(property => property.Name);
        var fields = MarkedType
            .Fields(contract, message, attribute)
            .Where(field => properties.TryGetValue(field.Property, out var property) && Fits(field, property.Type));
        var isOptions = message.EndsWith("Options", StringComparison.Ordinal);
        return type.File([
            isOptions
                ? $$"""
                    private static {{engine}} Declared(global::Dti.V1.{{message}} message) =>
                        new()
                        {
                {{string.Join("\n", fields.Select(field => $"            {field.Property} = {FromMessage(field)},"))}}
                        };
                """
                : $$"""
                    private static global::Dti.V1.{{message}} Declared({{engine}} settings) =>
                        new()
                        {
                {{string.Join(
                    "\n",
                    fields.Select(field => $"            {field.MessageProperty} = {ToMessage(field)},")
                )}}
                        };
                """,
        ]);
    }

    // Whether the property's value is the field's, possibly null where the field may be left out.
    private static bool Fits(DeclaredSetting field, ITypeSymbol type)
    {
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable)
            return field.IsOptional && Fits(field, nullable.TypeArguments[0]);
        if (field.IsRepeated)
            return type is INamedTypeSymbol { Name: "IReadOnlyList" };
        if (field.EnumWords is not null)
            return type.TypeKind == TypeKind.Enum;
        return field.Type switch
        {
            "int32" => type.SpecialType == SpecialType.System_Int32,
            "uint64" => type.SpecialType == SpecialType.System_UInt64,
            "double" => type.SpecialType == SpecialType.System_Double,
            "bool" => type.SpecialType == SpecialType.System_Boolean,
            "string" => type.SpecialType == SpecialType.System_String
                && (field.IsOptional || type.NullableAnnotation != NullableAnnotation.Annotated),
            _ => false,
        };
    }

    private static string FromMessage(DeclaredSetting field) =>
        field.IsRepeated ? $"[.. message.{field.MessageProperty}]"
        : field.EnumWords is not null ? $"message.{field.MessageProperty}.ToEngine()"
        : field.IsOptional ? $"message.Has{field.MessageProperty} ? message.{field.MessageProperty} : null"
        : $"message.{field.MessageProperty}";

    private static string ToMessage(DeclaredSetting field) =>
        field.IsRepeated ? $"{{ settings.{field.Property} }}"
        : field.EnumWords is not null ? $"settings.{field.Property}.ToMessage()"
        : $"settings.{field.Property}";
}
