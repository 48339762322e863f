using Dti.V1;
using Google.Protobuf.Reflection;
using Microsoft.OpenApi.Models;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Dti.Server.Hosting;

/// <summary>Adds the ranges and defaults that the contract declares for settings to the OpenAPI document.</summary>
internal sealed class SettingSchema : ISchemaFilter
{
    public void Apply(OpenApiSchema schema, SchemaFilterContext context)
    {
        if (Message(context.Type) is not { } message)
        {
            return;
        }

        foreach (var field in message.Fields.InDeclarationOrder())
        {
            if (
                field.GetOptions()?.GetExtension(SettingExtensions.Setting) is { } setting
                && schema.Properties.TryGetValue(field.JsonName, out var property)
            )
            {
                property.Minimum = setting.HasMin ? (decimal)setting.Min : null;
                property.Maximum = setting.HasMax ? (decimal)setting.Max : null;
                property.ExclusiveMinimum = setting.MinExcluded ? true : null;
                property.ExclusiveMaximum = setting.MaxExcluded ? true : null;
                property.MultipleOf = setting.MultipleOf > 0 ? setting.MultipleOf : null;
                if (setting.Default.Length > 0)
                {
                    property.Description = $"{property.Description} Default: {setting.Default}.".TrimStart();
                }
            }
        }
    }

    private static MessageDescriptor? Message(Type type) =>
        type == typeof(TrainingOptions) ? TrainingOptions.Descriptor
        : type == typeof(GenerationOptions) ? GenerationOptions.Descriptor
        : null;
}
