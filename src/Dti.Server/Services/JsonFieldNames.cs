using Dti.Server.Configuration;
using Google.Protobuf.Reflection;

namespace Dti.Server.Services;

/// <summary>The names of fields in JSON: those of the contract, and those that an unknown one may have meant.</summary>
internal static class JsonFieldNames
{
    // What other tools call a field.
    private static readonly Dictionary<string, string> _otherNames = new(StringComparer.Ordinal)
    {
        ["batchsize"] = "num_images",
        ["cfg"] = "guidance_scale",
        ["cfgscale"] = "guidance_scale",
        ["niter"] = "num_images",
        ["numinferencesteps"] = "steps",
        ["negative"] = "negative_prompt",
        ["sampler"] = "scheduler",
        ["samplername"] = "scheduler",
    };

    /// <summary>A field by its name in the contract or in JSON; null: there is none.</summary>
    public static FieldDescriptor? Find(MessageDescriptor type, string name) =>
        type.FindFieldByName(name) ?? type.Fields.InFieldNumberOrder().FirstOrDefault(field => field.JsonName == name);

    /// <summary>A name below a path.</summary>
    public static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>The paths of a message's fields.</summary>
    public static IEnumerable<string> Of(MessageDescriptor type, string path) =>
        type.Fields.InFieldNumberOrder().Select(field => Join(path, field.Name));

    /// <summary>Paths of at most three fields that an unknown name may have meant.</summary>
    /// <param name="root">The request: the field may belong elsewhere in it.</param>
    /// <param name="siblings">The paths of the fields where the name stands.</param>
    /// <param name="name">The name.</param>
    /// <param name="path">The path of the name.</param>
    public static IEnumerable<string> Close(
        MessageDescriptor root,
        IReadOnlyCollection<string> siblings,
        string name,
        string path
    )
    {
        var plain = Plain(name);
        var elsewhere = Leaves(root, "", 3).Where(leaf => Plain(leaf[(leaf.LastIndexOf('.') + 1)..]) == plain);
        var meant = _otherNames.TryGetValue(plain, out var other)
            ? siblings.Where(field => field.EndsWith(other, StringComparison.Ordinal))
            : [];
        return meant.Concat(elsewhere).Concat(CloseNames.Of(path, siblings)).Distinct().Take(3);
    }

    /// <summary>Paths of the fields of a message and of those in it.</summary>
    private static IEnumerable<string> Leaves(MessageDescriptor type, string path, int depth) =>
        depth == 0
            ? []
            : type
                .Fields.InFieldNumberOrder()
                .SelectMany(field =>
                    field.FieldType == FieldType.Message && !field.IsRepeated
                        ? Leaves(field.MessageType, Join(path, field.Name), depth - 1).Prepend(Join(path, field.Name))
                        : [Join(path, field.Name)]
                );

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
}
