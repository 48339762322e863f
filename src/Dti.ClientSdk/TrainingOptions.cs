using Dti.Settings;

namespace Dti.ClientSdk;

/// <summary>What a training asks for. What is null takes the published default of the model's family.</summary>
[DeclaredSettings(Messages = true)]
public sealed partial record TrainingOptions;
