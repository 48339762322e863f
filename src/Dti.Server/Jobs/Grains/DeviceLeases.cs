namespace Dti.Server.Jobs.Grains;

/// <summary>
/// When each device last spoke. A device that is silent for too long has lost its lease; but the time in which the
/// queue's own process stood still counts for none.
/// </summary>
/// <param name="time">A clock that nobody sets.</param>
/// <param name="longestSilence">How long a device may be silent.</param>
/// <param name="period">How often <see cref="Look"/> is called.</param>
internal sealed class DeviceLeases(TimeProvider time, TimeSpan longestSilence, TimeSpan period)
{
    private readonly Dictionary<string, Device> _devices = new(StringComparer.Ordinal);
    private long _looked = time.GetTimestamp();

    /// <summary>A device speaks. What it did not name in an earlier life no longer counts.</summary>
    public Device Hear(string name, string life)
    {
        if (!_devices.TryGetValue(name, out var device) || device.Life != life)
        {
            _devices[name] = device = new Device(life);
        }

        device.Heard = time.GetTimestamp();
        return device;
    }

    /// <summary>To be called every period, before <see cref="IsSilent"/> is asked.</summary>
    public void Look()
    {
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_looked, now) > 2 * period)
        {
            foreach (var device in _devices.Values)
            {
                device.Heard = now; // nobody could be heard
            }
        }

        _looked = now;
    }

    /// <summary>Whether a device has not been heard of in that life for too long.</summary>
    public bool IsSilent(string name, string life) =>
        !_devices.TryGetValue(name, out var device)
        || (device.Life == life && time.GetElapsedTime(device.Heard) > longestSilence);

    /// <summary>Whether a device speaks in another life, so that the process of that one has died.</summary>
    public bool HasDied(string name, string life) => _devices.TryGetValue(name, out var device) && device.Life != life;

    /// <summary>A device's process as the queue knows it.</summary>
    internal sealed class Device(string life)
    {
        public string Life => life;

        /// <summary>When it last spoke.</summary>
        public long Heard { get; set; }

        /// <summary>Jobs that the queue gave it and that it does not name, with the number of renewals since.</summary>
        public Dictionary<string, int> Unnamed { get; set; } = [];
    }
}
