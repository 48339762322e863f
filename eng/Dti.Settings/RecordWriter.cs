using Microsoft.CodeAnalysis;

namespace Dti.Settings;

/// <summary>The properties of records of options and of resolved settings, and what checks and converts them.</summary>
internal static class RecordWriter
{
    public static string Write(Contract contract, MarkedType type, AttributeData attribute)
    {
        var message = type.Symbol.Name;
        var fields = MarkedType.Fields(contract, message, attribute).ToList();
        var own = fields.Where(field => !type.Has(field.Property)).ToList();
        var accessor = MarkedType.Named(attribute, "Accessor", "init");
        var members = own.Select(field => Property(field, accessor)).ToList();
        var isOptions = message.EndsWith("Options", StringComparison.Ordinal);
        if (MarkedType.Named(attribute, "Messages", false))
            members.Add(isOptions ? ToMessage(message, fields) : FromMessage(message, fields));
        if (MarkedType.Named(attribute, "Checks", false))
        {
            var options = Contract.OptionsOf(message);
            var except = MarkedType.Except(attribute);
            members.Add(WithDefaults(message, options, own));
            members.Add(
                CheckRanges(
                    contract.Settings(options).Where(field => !except.Contains(field.Name)),
                    type,
                    fields,
                    options
                )
            );
            members.Add(CheckMethod(contract, options));
        }

        return type.File(members);
    }

    private static string Property(DeclaredSetting field, string accessor)
    {
        var (type, initial) =
            field.IsRepeated ? ($"global::System.Collections.Generic.IReadOnlyList<{field.ValueType}>", " = [];")
            : field.IsOptional ? (field.ValueType + "?", "")
            : (field.ValueType, field.Type == "string" ? " = \"\";" : "");
        return $$"""
                /// <summary>{{Escape(field.Comment + field.Bounds)}}</summary>
                public {{type}} {{field.Property}} { get; {{accessor}}; }{{initial}}
            """;
    }

    private static string ToMessage(string message, List<DeclaredSetting> fields) =>
        $$"""
                internal global::Dti.V1.{{message}} ToMessage()
                {
                    var message = new global::Dti.V1.{{message}}();
            {{string.Join("\n", fields.Select(Set))}}
                    return message;
                }
            """;

    private static string Set(DeclaredSetting field)
    {
        var cast = field.EnumWords is null ? "" : $"(global::Dti.V1.{field.Type})";
        var target = $"message.{field.MessageProperty}";
        return "        "
            + (
                field.IsRepeated ? $"{target}.AddRange({field.Property});"
                : field.IsOptional
                    ? $"if ({field.Property} is {{ }} {field.Variable}) {target} = {cast}{field.Variable};"
                : $"{target} = {cast}{field.Property};"
            );
    }

    private static string FromMessage(string message, List<DeclaredSetting> fields) =>
        $$"""
                internal static {{message}} FromMessage(global::Dti.V1.{{message}} message) =>
                    new()
                    {
            {{string.Join("\n", fields.Select(field => $"            {field.Property} = {Value(field)},"))}}
                    };
            """;

    private static string Value(DeclaredSetting field) =>
        field.IsRepeated ? $"[.. message.{field.MessageProperty}]"
        : field.EnumWords is not null ? $"({field.Type})message.{field.MessageProperty}"
        : $"message.{field.MessageProperty}";

    private static string WithDefaults(string message, string options, List<DeclaredSetting> own)
    {
        var set =
            from field in own
            where field.DefaultExpression is not null
            select $"            {field.Property} = options.{field.Property} ?? {field.DefaultExpression},";
        return $$"""
                /// <summary>What was asked, or the default where the contract declares a value.</summary>
                private static {{message}} WithDefaults({{options}} options) =>
                    new()
                    {
            {{string.Join("\n", set)}}
                    };
            """;
    }

    private static string CheckRanges(
        IEnumerable<DeclaredSetting> asked,
        MarkedType type,
        List<DeclaredSetting> fields,
        string options
    )
    {
        var resolved = fields.ToDictionary(field => field.Name);
        var checks =
            from option in asked
            where option.IsNumber && option.Min is not null && option.Max is not null
            let isResolved = resolved.ContainsKey(option.Name)
            where !isResolved || !type.Has(option.Property)
            let condition = isResolved ? "" : $"if (options.{option.Property} is {{ }} {option.Variable}) "
            let value = isResolved ? option.Property : option.Variable
            select $"        {condition}found.Range(\"{option.Name}\", {value}, {Bounds(option)});";
        return $$"""
                /// <summary>Adds every value that is outside the range that the contract declares.</summary>
                private void CheckRanges({{options}} options, global::Dti.Engine.Violations found)
                {
            {{string.Join("\n", checks)}}
                }
            """;
    }

    private static string Bounds(DeclaredSetting field) =>
        $"{field.Literal(field.Min!.Value)}, {field.Literal(field.Max!.Value)}"
        + (field.MultipleOf > 1 ? $", multipleOf: {field.MultipleOf}" : "")
        + (field.MinExcluded ? ", minExcluded: true" : "")
        + (field.MaxExcluded ? ", maxExcluded: true" : "")
        + (field.Hint is { } hint ? $", hint: \"{hint}\"" : "");

    private static string CheckMethod(Contract contract, string options)
    {
        var checks =
            from option in contract.Settings(options)
            where option.DtiOnly && option.IsNumber
            select $"        if (options.{option.Property} is > 0 and var {option.Variable}) "
                + $"found.DtiOnly(\"{option.Name}\", {option.Variable});";
        return $$"""
                /// <summary>For methods other than dti: adds every value that belongs to dti alone.</summary>
                private static void CheckMethod({{options}} options, global::Dti.Engine.Violations found)
                {
            {{string.Join("\n", checks)}}
                }
            """;
    }

    private static string Escape(string text) => text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
}
