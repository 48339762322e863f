using Microsoft.Extensions.Logging;

namespace Dti.Server.Telemetry;

/// <summary>Every message that the server logs. Ids are stable; Error means that an operator must act.</summary>
internal static partial class ServerLog
{
    private static readonly Func<ILogger, string, IDisposable?> _jobScope = LoggerMessage.DefineScope<string>(
        "Job {JobId}"
    );

    /// <summary>Until it is disposed, what this thread logs carries the job's id.</summary>
    public static IDisposable? JobScope(this ILogger logger, string jobId) => _jobScope(logger, jobId);

    [LoggerMessage(1, LogLevel.Information, "Job {JobId} ({Kind}) was accepted")]
    public static partial void JobAccepted(this ILogger logger, string jobId, string kind);

    [LoggerMessage(2, LogLevel.Information, "Job {JobId} started")]
    public static partial void JobStarted(this ILogger logger, string jobId);

    [LoggerMessage(3, LogLevel.Information, "Job {JobId} ended: {State}")]
    public static partial void JobEnded(this ILogger logger, string jobId, string state);

    [LoggerMessage(4, LogLevel.Warning, "Job {JobId} could not go on: {Reason}")]
    public static partial void JobRefused(this ILogger logger, string jobId, string reason);

    [LoggerMessage(5, LogLevel.Error, "Job {JobId} failed for a reason that Dti did not foresee")]
    public static partial void UnexpectedJobFailure(this ILogger logger, Exception error, string jobId);

    [LoggerMessage(6, LogLevel.Error, "{Method} failed for a reason that Dti did not foresee")]
    public static partial void UnexpectedCallFailure(this ILogger logger, Exception error, string method);

    [LoggerMessage(7, LogLevel.Information, "Model {Model} was loaded on {Device} in {Dtype}, for {Memory} memory")]
    public static partial void ModelLoaded(
        this ILogger logger,
        string model,
        string device,
        string dtype,
        string memory
    );

    [LoggerMessage(8, LogLevel.Warning, "Concept file {File} is left out of the library: {Reason}")]
    public static partial void ConceptUnreadable(this ILogger logger, string file, string reason);

    [LoggerMessage(9, LogLevel.Warning, "The snapshot of '{Name}' at step {Step} was not written: {Message}")]
    public static partial void SnapshotUnwritten(this ILogger logger, string name, int step, string message);

    [LoggerMessage(11, LogLevel.Warning, "There is no model at {Path} so far")]
    public static partial void ModelFolderMissing(this ILogger logger, string path);

    [LoggerMessage(10, LogLevel.Warning, "The image {File} was not written: {Reason}")]
    public static partial void PictureUnwritten(this ILogger logger, string file, string reason);

    [LoggerMessage(20, LogLevel.Warning, "The process that ran job {JobId} ended at step {Step}")]
    public static partial void JobLost(this ILogger logger, string jobId, int step);

    [LoggerMessage(21, LogLevel.Warning, "Device {Device} has lost job {JobId}")]
    public static partial void DeviceLostJob(this ILogger logger, string device, string jobId);

    [LoggerMessage(22, LogLevel.Warning, "The grain of job {JobId} does not answer: {Reason}")]
    public static partial void GrainUnresponsive(this ILogger logger, string jobId, string reason);

    [LoggerMessage(23, LogLevel.Warning, "The queue does not answer: {Reason}")]
    public static partial void QueueUnresponsive(this ILogger logger, string reason);

    [LoggerMessage(24, LogLevel.Warning, "News of job {JobId} are interrupted: {Reason}")]
    public static partial void FeedInterrupted(this ILogger logger, string jobId, string reason);

    [LoggerMessage(25, LogLevel.Warning, "The state of {What} is not written yet: {Reason}")]
    public static partial void StateUnwritten(this ILogger logger, string what, string reason);

    [LoggerMessage(27, LogLevel.Warning, "Events of job {JobId} wait in memory for room: {Reason}")]
    public static partial void EventsUnwritten(this ILogger logger, string jobId, string reason);

    [LoggerMessage(26, LogLevel.Information, "The queue answers again")]
    public static partial void QueueResponsive(this ILogger logger);

    [LoggerMessage(40, LogLevel.Warning, "A call of {Path} from {Address} was refused: {Reason}")]
    public static partial void CallerRefused(this ILogger logger, string path, string address, string reason);

    [LoggerMessage(41, LogLevel.Error, "The token file {File} cannot be used, so that nobody is let in: {Reason}")]
    public static partial void TokensUnreadable(this ILogger logger, string file, string reason);

    [LoggerMessage(42, LogLevel.Information, "Changed files are in use: {Files}")]
    public static partial void FilesReloaded(this ILogger logger, string files);

    [LoggerMessage(
        43,
        LogLevel.Warning,
        "Changed files cannot be used ({Files}); what they held before still is: {Reason}"
    )]
    public static partial void FilesNotReloaded(this ILogger logger, string files, string reason);

    [LoggerMessage(44, LogLevel.Warning, "The certificate {File} ends at {End}; renew it")]
    public static partial void CertificateEnds(this ILogger logger, string file, string end);

    [LoggerMessage(45, LogLevel.Warning, "The library's descriptions could not be read ahead: {Reason}")]
    public static partial void LibraryNotReadAhead(this ILogger logger, string reason);

    [LoggerMessage(46, LogLevel.Warning, "The copy of the library in {Folder} is not brought up to date: {Reason}")]
    public static partial void ReplicaBehind(this ILogger logger, string folder, string reason);

    [LoggerMessage(47, LogLevel.Warning, "The metadata of the workers' models is not exchanged: {Reason}")]
    public static partial void ModelMetadataFailed(this ILogger logger, string reason);

    [LoggerMessage(48, LogLevel.Information, "The metadata of the workers' models is exchanged again")]
    public static partial void ModelMetadataResponsive(this ILogger logger);

    [LoggerMessage(
        49,
        LogLevel.Warning,
        "What no host needs any more was not deleted from the storage of the cluster: {Reason}"
    )]
    public static partial void LeftoversNotDeleted(this ILogger logger, string reason);

    [LoggerMessage(51, LogLevel.Error, "The server is not ready: {Problem}")]
    public static partial void DeviceUnhealthy(this ILogger logger, string problem);

    [LoggerMessage(52, LogLevel.Information, "{Device} computes")]
    public static partial void DeviceHealthy(this ILogger logger, string device);

    [LoggerMessage(53, LogLevel.Warning, "The server takes no jobs: {Problem}")]
    public static partial void JobsNotAccepted(this ILogger logger, string problem);

    [LoggerMessage(54, LogLevel.Information, "The server takes jobs")]
    public static partial void JobsAccepted(this ILogger logger);

    [LoggerMessage(61, LogLevel.Warning, "{Method} was refused: {Reason}")]
    public static partial void FileAccessFailed(this ILogger logger, string method, string reason);

    [LoggerMessage(60, LogLevel.Error, "{Method} failed outside of its service: {Cause}")]
    public static partial void UnexpectedFailureOutsideService(this ILogger logger, string method, string cause);
}
