using Dti.Settings;

namespace Dti.Engine.Generation;

/// <summary>
/// What a caller asks of a generation; null takes the default. Ranges and defaults: <see cref="GenerationSettings"/>.
/// </summary>
[DeclaredSettings(Except = "model vae dtype format quality omit_metadata")]
public sealed partial record GenerationOptions;
