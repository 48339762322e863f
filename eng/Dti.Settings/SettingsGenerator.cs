using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dti.Settings;

/// <summary>
/// Writes what follows from the settings that <c>protos/dti/v1</c> declares into the types that are marked with one
/// of the <see cref="Attributes"/>.
/// </summary>
[Generator]
public sealed class SettingsGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        context.RegisterPostInitializationOutput(output =>
        {
            output.AddEmbeddedAttributeDefinition();
            output.AddSource("Attributes.g.cs", Attributes.Source);
        });
        var contract = context
            .AdditionalTextsProvider.Where(file => file.Path.EndsWith(".proto", StringComparison.Ordinal))
            .Select((file, cancellation) => file.GetText(cancellation)?.ToString() ?? "")
            .Collect()
            .Select((files, _) => new Contract(files));
        Register(Attributes.Record, RecordWriter.Write);
        Register(Attributes.Mapping, MappingWriter.Write);
        Register(Attributes.OptionSet, OptionSetWriter.Write);

        void Register(string attribute, Func<Contract, MarkedType, AttributeData, string> write)
        {
            var marked = context.SyntaxProvider.ForAttributeWithMetadataName(
                attribute,
                (node, _) => node is TypeDeclarationSyntax,
                (found, _) => found
            );
            context.RegisterSourceOutput(marked.Combine(contract), (output, pair) =>
            {
                var (found, declared) = pair;
                var type = new MarkedType((INamedTypeSymbol)found.TargetSymbol);
                foreach (var (data, i) in found.Attributes.Select((data, i) => (data, i)))
                    output.AddSource($"{type.Symbol.Name}.{i}.g.cs", write(declared, type, data));
            });
        }
    }
}
