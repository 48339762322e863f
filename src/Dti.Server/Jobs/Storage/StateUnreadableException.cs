namespace Dti.Server.Jobs.Storage;

/// <summary>A grain's state is there and cannot be read: its file is damaged, or may not be opened.</summary>
[GenerateSerializer]
[Alias("dti.state-unreadable")]
internal sealed class StateUnreadableException(string message, Exception inner) : OrleansException(message, inner);
