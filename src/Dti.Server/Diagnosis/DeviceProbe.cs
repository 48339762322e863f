using Dti.Engine.Runtime.Devices;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace Dti.Server.Diagnosis;

/// <summary>
/// Whether the device computes now: a sum of two ones on it, and its answer for a few seconds. A device that does not
/// answer in time does not compute. Thread-safe; one look at a time.
/// </summary>
internal sealed class DeviceProbe : IDisposable
{
    private static readonly TimeSpan _freshFor = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly Func<float> _onePlusOne;
    private readonly string _device;
    private readonly TimeProvider _time;
    private readonly ILogger<DeviceProbe> _logger;
    private readonly SemaphoreSlim _one = new(1);
    private (string? Problem, long At)? _last;
    private Task<float>? _pending; // of a device that did not answer

    public DeviceProbe(ComputeTarget target, TimeProvider time, ILogger<DeviceProbe> logger)
        : this(() => Sum(target), target.DeviceName, time, logger) { }

    /// <param name="onePlusOne">Has the device compute it.</param>
    /// <param name="device">Its name.</param>
    /// <param name="time">For how old an answer is.</param>
    /// <param name="logger">Told when the device breaks, and when it is back.</param>
    internal DeviceProbe(Func<float> onePlusOne, string device, TimeProvider time, ILogger<DeviceProbe> logger) =>
        (_onePlusOne, _device, _time, _logger) = (onePlusOne, device, time, logger);

    /// <summary>What is wrong with the device; null: nothing.</summary>
    public async Task<string?> ProblemAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_last is { } last && _time.GetElapsedTime(last.At) < _freshFor)
            {
                return last.Problem;
            }

            var problem = await ProbeAsync();
            if (problem != _last?.Problem)
            {
                if (problem is null)
                {
                    _logger.DeviceHealthy(_device);
                }
                else
                {
                    _logger.DeviceUnhealthy(problem);
                }
            }

            _last = (problem, _time.GetTimestamp());
            return problem;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<string?> ProbeAsync()
    {
        try
        {
            _pending ??= Task.Factory.StartNew(_onePlusOne, TaskCreationOptions.LongRunning); // it may block for good
            var sum = await _pending.WaitAsync(_patience, _time);
            _pending = null;
            return sum == 2 ? null : $"{_device} says that 1 + 1 is {sum}.";
        }
        catch (TimeoutException)
        {
            return $"{_device} has not answered for {_patience.TotalSeconds} seconds.";
        }
        catch (Exception error)
        {
            _pending = null;
            return $"{_device} does not compute: {error.Message.Split('\n')[0]}";
        }
    }

    private static float Sum(ComputeTarget target)
    {
        using var scope = NewDisposeScope();
        return ones(2, dtype: target.Dtype, device: target.Device).sum().to(ScalarType.Float32).item<float>();
    }
}
