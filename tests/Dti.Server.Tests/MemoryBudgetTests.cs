using System.Collections.Concurrent;
using Dti.Engine;
using Dti.Server.Libraries;

namespace Dti.Server.Tests;

public sealed class MemoryBudgetTests
{
    private readonly ConcurrentQueue<string> _happened = [];

    [Fact]
    public void Rent_Again_TakesWhatIsThere()
    {
        using var memory = new MemoryBudget(100);

        Use(memory, "a", 60);
        Use(memory, "a", 60);

        Assert.Equal(["a loaded"], _happened);
        Assert.True(memory.Holds(key => key is "a"));
    }

    [Fact]
    public void Rent_WhatIsComputedBesideNeedsTheRoom_LetsIdleOnesGoAlsoForOneThatIsThere()
    {
        using var memory = new MemoryBudget(100, total: 120);
        Use(memory, "a", 40);
        Use(memory, "b", 40);

        memory.Rent("b", "b", 40, () => new Thing("b", _happened), workingBytes: 40).Dispose();
        Assert.Equal(["a loaded", "b loaded"], _happened);
        memory.Rent("b", "b", 40, () => new Thing("b", _happened), workingBytes: 41).Dispose();

        Assert.Equal(["a loaded", "b loaded", "a freed"], _happened);
    }

    [Fact]
    public async Task Rent_ManyAtOnce_LoadsOnce()
    {
        using var memory = new MemoryBudget(100);
        using var together = new Barrier(8);

        var users = Enumerable
            .Range(0, 8)
            .Select(_ =>
                Task.Factory.StartNew(
                    () =>
                    {
                        together.SignalAndWait(TestContext.Current.CancellationToken);
                        return Rent(memory, "a", 60);
                    },
                    TestContext.Current.CancellationToken,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default
                )
            );

        var leases = await Task.WhenAll(users.ToList());

        Assert.Single(leases.Select(lease => lease.Value).Distinct());
        Assert.Equal(["a loaded"], _happened);
    }

    [Fact]
    public void Rent_NoRoom_LetsTheLeastRecentlyUsedGo()
    {
        using var memory = new MemoryBudget(100);
        Use(memory, "a", 40);
        Use(memory, "b", 40);
        Use(memory, "a", 40);

        Use(memory, "c", 40);

        Assert.Equal(["a loaded", "b loaded", "b freed", "c loaded"], _happened);
    }

    [Fact]
    public void Rent_NoRoomBesideWhatIsInUse_IsRefusedUntilThatIsLeft()
    {
        using var memory = new MemoryBudget(100);
        var lease = Rent(memory, "a", 60);

        var error = Assert.Throws<DtiException>(() => Rent(memory, "b", 60));
        lease.Dispose();
        Use(memory, "b", 60);

        Assert.Equal((ErrorKind.ResourceExhausted, "MODEL_MEMORY_FULL"), (error.Kind, error.Reason));
        Assert.Equal(["a loaded", "a freed", "b loaded"], _happened);
    }

    [Fact]
    public void Rent_LeftTwice_IsStillInUseByTheOther()
    {
        using var memory = new MemoryBudget(100);
        var (first, second) = (Rent(memory, "a", 60), Rent(memory, "a", 60));

        first.Dispose();
        first.Dispose();

        Assert.Throws<DtiException>(() => Rent(memory, "b", 60));
        second.Dispose();
        Use(memory, "b", 60);
    }

    [Fact]
    public void Rent_LargerThanTheBudget_IsRefusedWithTheNumbersAndNothingGoes()
    {
        using var memory = new MemoryBudget(3L << 30);
        Use(memory, "a", 2L << 30);

        var error = Assert.Throws<DtiException>(() => Rent(memory, "b", 5L << 30));

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.StartsWith(
            "b takes 5 GiB, and models may take 3 GiB of memory",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(["a loaded"], _happened);
    }

    [Fact]
    public void Rent_LoadingFails_LeavesTheOthersAndTriesAgainNextTime()
    {
        using var memory = new MemoryBudget(100);
        Use(memory, "a", 40);

        Assert.Throws<InvalidDataException>(() =>
            memory.Rent<Thing>("b", "b", 40, () => throw new InvalidDataException())
        );
        Assert.False(memory.Holds(key => key is "b"));
        Use(memory, "b", 60);

        Assert.Equal(["a loaded", "b loaded"], _happened);
    }

    [Fact]
    public void Dispose_Always_FreesEverything()
    {
        var memory = new MemoryBudget(100);
        Use(memory, "a", 40);
        Use(memory, "b", 40);

        memory.Dispose();

        Assert.Equal(["a loaded", "b loaded", "a freed", "b freed"], _happened);
    }

    private void Use(MemoryBudget memory, string name, long size) => Rent(memory, name, size).Dispose();

    private Lease<Thing> Rent(MemoryBudget memory, string name, long size) =>
        memory.Rent(name, name, size, () => new Thing(name, _happened));

    private sealed class Thing : IDisposable
    {
        private readonly string _name;
        private readonly ConcurrentQueue<string> _happened;

        public Thing(string name, ConcurrentQueue<string> happened)
        {
            (_name, _happened) = (name, happened);
            happened.Enqueue($"{name} loaded");
        }

        public void Dispose() => _happened.Enqueue($"{_name} freed");
    }
}
