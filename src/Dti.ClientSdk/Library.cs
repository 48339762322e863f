namespace Dti.ClientSdk;

/// <summary>A learnt concept in the server's library.</summary>
public sealed record Concept
{
    /// <summary>Unique in the library.</summary>
    public string Name { get; init; } = "";

    /// <summary>What stands for it in prompts.</summary>
    public string Placeholder { get; init; } = "";

    /// <summary>Number of vectors.</summary>
    public int VectorCount { get; init; }

    /// <summary>Width of the embedding: 768 for Stable Diffusion 1.x, 1024 for 2.x.</summary>
    public int Dimension { get; init; }

    /// <summary>Norm of each vector.</summary>
    public IReadOnlyList<double> Norms { get; init; } = [];

    /// <summary><c>sd1</c>, …</summary>
    public string Family { get; init; } = "";

    /// <summary>The model it was learnt with; empty if it was imported from a file that does not say.</summary>
    public string Model { get; init; } = "";

    /// <summary>The settings it was learnt with; null if it was imported from a file that does not say.</summary>
    public TrainingSettings? Settings { get; init; }

    /// <summary>When it came into the library.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>
    /// Which earlier version it is, in <see cref="DtiClient.ListConceptVersionsAsync"/>; empty: the current one.
    /// </summary>
    public string Version { get; init; } = "";

    /// <summary>
    /// SHA-256 of each photo it was learnt from, hexadecimal; empty if it was imported from a file that does not say.
    /// </summary>
    public IReadOnlyList<string> PhotoSha256 { get; init; } = [];

    /// <summary>A small PNG; empty if there is none, and in lists.</summary>
    public ReadOnlyMemory<byte> ThumbnailPng { get; init; }

    /// <summary>A PNG of its training, curves and previews; empty if it was not learnt there, and in lists.</summary>
    public ReadOnlyMemory<byte> SummaryPng { get; init; }

    /// <summary>
    /// Whose it is: the caller that its token stands for, or <c>local</c>. Others do not see it, but for those with the
    /// scope admin.
    /// </summary>
    public string Owner { get; init; } = "";

    /// <summary>
    /// Tensors of the imported file that were passed over, such as <c>clip_l_out</c> of OneTrainer; the first 20 names.
    /// </summary>
    public IReadOnlyList<string> IgnoredTensors { get; init; } = [];

    /// <summary>
    /// The text encoders it was learnt with: key, width, and how each computed where that is a choice; empty if it was
    /// imported from a file that does not say.
    /// </summary>
    public IReadOnlyList<string> TextEncoders { get; init; } = [];
}

/// <summary>What a concept's vectors are, compared with the vocabulary of a model.</summary>
/// <param name="Model">The model.</param>
/// <param name="VocabularyNormMin">The smallest norm of the vocabulary's token embeddings.</param>
/// <param name="VocabularyNormMean">Their mean: DTI's magnitude.</param>
/// <param name="VocabularyNormMax">The largest.</param>
/// <param name="VocabularyPositionReadability">Mean <see cref="InspectedVector.PositionReadability"/> of the
/// vocabulary's own tokens.</param>
/// <param name="Initializer">The word or phrase that the concept started from; empty if unknown.</param>
/// <param name="Vectors">One per vector.</param>
public sealed record ConceptInspection(
    string Model,
    double VocabularyNormMin,
    double VocabularyNormMean,
    double VocabularyNormMax,
    double VocabularyPositionReadability,
    string Initializer,
    IReadOnlyList<InspectedVector> Vectors
);

/// <summary>One vector of a concept.</summary>
/// <param name="Norm">Its norm.</param>
/// <param name="AngleDegrees">To the token that it started from; null if that is unknown.</param>
/// <param name="Nearest">The nearest tokens of the vocabulary by direction, nearest first.</param>
/// <param name="PositionReadability">
/// How much of what the first attention layer sees still tells where the token stands, 0 to 1; it falls as the norm
/// grows.
/// </param>
public sealed record InspectedVector(
    double Norm,
    double? AngleDegrees,
    IReadOnlyList<NearToken> Nearest,
    double PositionReadability
);

/// <summary>A token of the vocabulary and how nearly a vector points its way.</summary>
/// <param name="Token">The token.</param>
/// <param name="Cosine">−1 to 1.</param>
public sealed record NearToken(string Token, double Cosine);

/// <summary>A concept as a file that other tools load.</summary>
/// <param name="FileName">A name for it.</param>
/// <param name="Data">The safetensors file.</param>
public sealed record ConceptFile(string FileName, ReadOnlyMemory<byte> Data);

/// <summary>A model that the server knows.</summary>
/// <param name="Name">Unique on the server.</param>
/// <param name="Family"><c>sd1</c>, …</param>
/// <param name="Resolution">Pixels the model was made for.</param>
/// <param name="EmbeddingDimension">Width of its token embeddings.</param>
/// <param name="IsDefault">Used where a request names no model.</param>
/// <param name="Problem">Why it cannot be used; null if it can.</param>
/// <param name="SizeBytes">Bytes of its weights on disk.</param>
/// <param name="Loaded">Held in memory now.</param>
/// <param name="Dtype">What most of its weights are stored in: <c>fp32</c>, <c>fp16</c>, <c>bf16</c>, <c>fp8_e4m3</c>
/// or <c>fp8_e5m2</c>.</param>
/// <param name="Path">Its path below the folder it was found in.</param>
/// <param name="MemoryBytes">Bytes that its weights take in memory, in the server's dtype.</param>
/// <param name="Fits">Whether that is within the server's memory budget.</param>
public sealed record Model(
    string Name,
    string Family,
    int Resolution,
    int EmbeddingDimension,
    bool IsDefault,
    string? Problem,
    long SizeBytes,
    bool Loaded,
    string Dtype,
    string Path,
    long MemoryBytes,
    bool Fits
);

/// <summary>A server.</summary>
/// <param name="Version">Of Dti.</param>
/// <param name="Device"><c>cpu</c>, <c>cuda:0</c>, …</param>
/// <param name="Dtype">What it computes in where a request says nothing: <c>fp32</c>, <c>bf16</c> or
/// <c>fp16</c>.</param>
/// <param name="Memory">What models trade for memory: <c>auto</c>, <c>low</c>, <c>balanced</c> or <c>high</c>.</param>
/// <param name="TorchVersion">Of libtorch.</param>
public sealed record ServerInfo(string Version, string Device, string Dtype, string Memory, string TorchVersion)
{
    /// <summary>
    /// Who asks: the caller that the token stands for, <c>certificate:</c> and the name in a certificate, or
    /// <c>local</c>.
    /// </summary>
    public string Caller { get; init; } = "";

    /// <summary>What the caller may do: <c>read</c>, <c>generate</c>, <c>train</c>, <c>admin</c>.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>
    /// Address of the page Dti Studio on the server's machine: <c>http://127.0.0.1:5172</c>. Null: the server has no
    /// such page.
    /// </summary>
    public string? StudioAddress { get; init; }
}

/// <summary>A host of a cluster of servers.</summary>
/// <param name="Name">Unique in the cluster.</param>
/// <param name="Role"><c>all</c>, <c>gateway</c> or <c>worker</c>.</param>
/// <param name="Version">Of Dti.</param>
/// <param name="Address">Where the other hosts reach it: <c>10.0.0.5:11111</c>.</param>
/// <param name="Devices">The devices that run jobs; a gateway has none.</param>
/// <param name="Models">The models that its jobs can use; a gateway has none.</param>
public sealed record ClusterHost(
    string Name,
    string Role,
    string Version,
    string Address,
    IReadOnlyList<ClusterDevice> Devices,
    IReadOnlyList<ClusterModel> Models
);

/// <summary>A device of a host.</summary>
/// <param name="Name">Unique in the cluster: <c>gpu-1/cuda:0</c>.</param>
/// <param name="Dtype">What it computes in where a request says nothing: <c>fp32</c>, <c>bf16</c> or
/// <c>fp16</c>.</param>
/// <param name="MemoryBytes">Bytes of memory in all.</param>
/// <param name="JobMemoryBytes">Bytes that a job may take, its model included.</param>
/// <param name="FreeMemoryBytes">Bytes of those that the models of running jobs leave.</param>
/// <param name="Jobs">The jobs that it runs.</param>
public sealed record ClusterDevice(
    string Name,
    string Dtype,
    long MemoryBytes,
    long JobMemoryBytes,
    long FreeMemoryBytes,
    IReadOnlyList<ClusterJob> Jobs
);

/// <summary>A model of a host.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Loaded">Whether it is in memory.</param>
public sealed record ClusterModel(string Name, bool Loaded);

/// <summary>A job that a device runs.</summary>
/// <param name="JobId">Its id.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Step">Steps done.</param>
/// <param name="TotalSteps">Steps asked.</param>
public sealed record ClusterJob(string JobId, JobKind Kind, int Step, int TotalSteps);

/// <summary>A job that the server knows.</summary>
/// <param name="JobId">Its id.</param>
/// <param name="RequestId">The id its client chose; empty if none.</param>
/// <param name="Kind">What it does.</param>
/// <param name="State">Where it is.</param>
/// <param name="Name">The concept's name, for training.</param>
/// <param name="Step">Steps done.</param>
/// <param name="TotalSteps">Steps asked.</param>
/// <param name="Created">When it was accepted.</param>
/// <param name="Started">When its work began.</param>
/// <param name="Ended">When it ended.</param>
/// <param name="Error">Why it failed; null if it did not.</param>
public sealed record Job(
    string JobId,
    string RequestId,
    JobKind Kind,
    JobState State,
    string Name,
    int Step,
    int TotalSteps,
    DateTimeOffset? Created,
    DateTimeOffset? Started,
    DateTimeOffset? Ended,
    string? Error
);
