namespace Dti.Engine.Tests.Runtime;

/// <summary>Tests that look at the whole process: no other test runs beside them.</summary>
[CollectionDefinition(nameof(WholeProcess), DisableParallelization = true)]
public class WholeProcess;
