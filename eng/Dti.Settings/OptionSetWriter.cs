using Microsoft.CodeAnalysis;

namespace Dti.Settings;

/// <summary>The options of the command.</summary>
internal static class OptionSetWriter
{
    public static string Write(Contract contract, MarkedType type, AttributeData attribute)
    {
        var record = MarkedType.Argument(attribute);
        var space = record.ContainingNamespace.ToDisplayString();
        var fields = MarkedType.Fields(contract, record.Name, attribute).ToList();
        var own = fields.Where(field => !type.Has("_" + field.Variable)).ToList();
        return type.File([
            .. own.Select(field => Option(field, space)),
            $$"""
                /// <summary>Every option, in the order of the contract.</summary>
                private global::System.CommandLine.Option[] InOrder =>
                    [{{string.Join(", ", fields.Select(field => "_" + field.Variable))}}];
            """,
            $$"""
                private global::{{space}}.{{record.Name}} ReadDeclared(CommandContext context) =>
                    new()
                    {
            {{string.Join(
                "\n",
                own.Select(field => $"            {field.Property} = context.Get(_{field.Variable}),")
            )}}
                    };
            """,
        ]);
    }

    private static string Option(DeclaredSetting field, string space)
    {
        var valueType = field.EnumWords is null ? field.ValueType : $"global::{space}.{field.Type}";
        var help = FirstSentence(field.Comment) + field.Bounds;
        var arity = field.Type == "bool" ? "Arity = global::System.CommandLine.ArgumentArity.ZeroOrOne, " : "";
        var valueName = field.ValueName
            ?? (
                field.EnumWords is not null || field.Type == "bool" ? null
                : field.Type == "string" ? "name"
                : "n"
            );
        var name = valueName is null ? "" : $"HelpName = {Quote(valueName)}, ";
        var words = field.EnumWords is null
            ? ""
            : $".OneOf({string.Join(", ", field.EnumWords.Select(word => Quote(word.Replace('_', '-'))))})";
        var option = $"global::System.CommandLine.Option<{valueType}?>";
        return $$"""
                private readonly {{option}} _{{field.Variable}} = new {{option}}({{Quote(
                field.Option
            )}}) { {{arity}}{{name}}Description = {{Quote(help)}} }{{words}};
            """;
    }

    private static string FirstSentence(string text) =>
        text.IndexOf(". ", StringComparison.Ordinal) is >= 0 and var end ? text.Substring(0, end + 1) : text;

    private static string Quote(string text) => "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";
}
