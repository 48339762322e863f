namespace Dti.Server.Tests.Infrastructure;

/// <summary>Tests of what belongs to the whole process: no other runs beside them.</summary>
[CollectionDefinition(nameof(WholeProcess), DisableParallelization = true)]
public class WholeProcess;
