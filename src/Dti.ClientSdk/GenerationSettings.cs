using Dti.Settings;

namespace Dti.ClientSdk;

/// <summary>What a generation uses: <see cref="GenerationOptions"/> with every default filled in.</summary>
[DeclaredSettings(Messages = true)]
public sealed partial record GenerationSettings;
