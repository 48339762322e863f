using System.Reflection;
using ArchUnitNET.Loader;
using ArchType = ArchUnitNET.Domain.IType;
using GenericParameter = ArchUnitNET.Domain.GenericParameter;

namespace Dti.Tests;

/// <summary>
/// The layers of an assembly, lowest first: a type refers to types of its own layer and of those before it. So no cycle
/// of layers can arise.
/// </summary>
/// <param name="root">The assembly's root namespace.</param>
/// <param name="order">
/// Namespaces below the root, lowest first; a namespace belongs to the layer that names it or the nearest one above it.
/// Empty: the root itself.
/// </param>
internal sealed class Layers(string root, IReadOnlyList<string> order)
{
    /// <summary>
    /// Every reference that leads upward, and every namespace that is in no layer; read from the compiled code.
    /// </summary>
    public IReadOnlyList<string> Violations(Assembly assembly)
    {
        var types = new ArchLoader()
            .WithoutArchitectureCache()
            .LoadAssembly(assembly)
            .Build()
            .Types.Where(type => Layer(type) is not null)
            .ToArray();
        var strangers = types.Where(type => Layer(type) < 0).Select(type => $"{type.FullName} is in no layer.");
        var upward = types
            .Where(type => Layer(type) >= 0)
            .SelectMany(type => type.Dependencies.Select(dependency => (From: type, To: dependency.Target)))
            // belongs to its method, and has no namespace of its own
            .Where(reference => reference.To is not GenericParameter)
            .Where(reference => Layer(reference.To) > Layer(reference.From))
            .Select(reference => $"{Name(reference.From)} refers to {Name(reference.To)}, which is in a higher layer.");
        return [.. strangers.Concat(upward).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>A type without what the compiler or its own body adds below it.</summary>
    private static string Name(ArchType type) => type.FullName.Split('+', '<')[0];

    /// <summary>Null: not of this assembly's own namespaces; -1: of one that no layer names.</summary>
    private int? Layer(ArchType type)
    {
        var name = type.Namespace?.FullName ?? "";
        if (name != root && !name.StartsWith(root + ".", StringComparison.Ordinal))
        {
            return null;
        }

        var below = name.Length == root.Length ? "" : name[(root.Length + 1)..];
        while (true)
        {
            var index = order.ToList().IndexOf(below);
            if (index >= 0 || below.Length == 0)
            {
                return index;
            }

            var dot = below.LastIndexOf('.');
            if (dot < 0)
            {
                return -1;
            }

            below = below[..dot];
        }
    }
}
