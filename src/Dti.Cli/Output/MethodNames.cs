using Dti.ClientSdk;

namespace Dti.Cli.Output;

/// <summary>Training methods as people write them.</summary>
internal static class MethodNames
{
    private static readonly Dictionary<string, TrainingMethod> _methods = new(StringComparer.OrdinalIgnoreCase)
    {
        ["dti"] = TrainingMethod.Dti,
        ["ti"] = TrainingMethod.Ti,
        ["ti-rescaled"] = TrainingMethod.TiRescaled,
        ["ti-renormalized"] = TrainingMethod.TiRenormalized,
        ["ti-softly-renormalized"] = TrainingMethod.TiSoftlyRenormalized,
        ["cross-init"] = TrainingMethod.CrossInit,
    };

    public static string[] All { get; } = [.. _methods.Keys];

    public static string Of(TrainingMethod method) => _methods.Single(pair => pair.Value == method).Key;

    public static TrainingMethod? Read(string? name) => name is null ? null : _methods[name];
}
