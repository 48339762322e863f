using Dti.Settings;

namespace Dti.ClientSdk;

/// <summary>What a training uses: <see cref="TrainingOptions"/> with every default filled in.</summary>
[DeclaredSettings(Messages = true)]
public sealed partial record TrainingSettings;
