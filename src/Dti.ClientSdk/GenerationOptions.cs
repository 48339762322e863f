using Dti.Settings;

namespace Dti.ClientSdk;

/// <summary>What a generation asks for. What is null takes the default, which the accepted update shows.</summary>
[DeclaredSettings(Messages = true)]
public sealed partial record GenerationOptions;
