namespace Dti.Server.Jobs.Grains;

/// <summary>
/// When each device last sent a heartbeat. The time in which the queue's own process stood still counts for no device.
/// </summary>
/// <param name="time">A monotonic clock.</param>
/// <param name="timeout">How long a device may be idle.</param>
/// <param name="period">How often <see cref="Tick"/> is called.</param>
internal sealed class DeviceHeartbeats(TimeProvider time, TimeSpan timeout, TimeSpan period)
{
    private readonly Dictionary<string, Device> _devices = new(StringComparer.Ordinal);
    private long _ticked = time.GetTimestamp();

    /// <summary>Records a heartbeat. A device that begins another incarnation is a new one.</summary>
    public Device Record(string name, string incarnation)
    {
        if (!_devices.TryGetValue(name, out var device) || device.Incarnation != incarnation)
        {
            _devices[name] = device = new Device(incarnation);
        }

        device.LastHeartbeat = time.GetTimestamp();
        return device;
    }

    /// <summary>To be called every period, before <see cref="IsOverdue"/> is asked.</summary>
    public void Tick()
    {
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_ticked, now) > 2 * period)
        {
            foreach (var device in _devices.Values)
            {
                device.LastHeartbeat = now; // none could be received
            }
        }

        _ticked = now;
    }

    /// <summary>Whether that incarnation of a device has been without a heartbeat for too long.</summary>
    public bool IsOverdue(string name, string incarnation) =>
        !_devices.TryGetValue(name, out var device)
        || (device.Incarnation == incarnation && time.GetElapsedTime(device.LastHeartbeat) > timeout);

    /// <summary>Whether the device has begun another incarnation, so that the process of that one has died.</summary>
    public bool HasRestarted(string name, string incarnation) =>
        _devices.TryGetValue(name, out var device) && device.Incarnation != incarnation;

    /// <summary>A device's process as the queue knows it.</summary>
    internal sealed class Device(string incarnation)
    {
        public string Incarnation => incarnation;

        /// <summary>The timestamp of its last heartbeat.</summary>
        public long LastHeartbeat { get; set; }

        /// <summary>Jobs that it has and does not name, with the number of its heartbeats since.</summary>
        public Dictionary<string, int> Unnamed { get; set; } = [];
    }
}
