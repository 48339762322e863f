using Dti.Server.Jobs.Grains;
using Dti.V1;
using Orleans.Storage;

namespace Dti.Server.Tests.Queue;

/// <summary>The queue on disk: one job more is one page more to write, however many there are.</summary>
public sealed class QueuePagesTests
{
    private readonly Disk _disk = new();

    [Fact]
    public async Task Write_OneMoreOfManyJobs_WritesOnePage()
    {
        var pages = await ReadAsync();
        pages.State.Entries.AddRange(Enumerable.Range(0, 1000).Select(Entry));
        await pages.WriteStateAsync();
        _disk.Written.Clear();

        pages.State.Entries.Add(Entry(1000));
        await pages.WriteStateAsync();
        Assert.Single(_disk.Written);

        _disk.Written.Clear();
        pages.State.Entries[3].Device = "here/cpu";
        await pages.WriteStateAsync();
        Assert.Single(_disk.Written);

        _disk.Written.Clear();
        await pages.WriteStateAsync();
        Assert.Empty(_disk.Written);
    }

    [Fact]
    public async Task Read_WhatWasWritten_IsTheSameInTheSameOrder()
    {
        var pages = await ReadAsync();
        for (var i = 0; i < 200; i++)
        {
            pages.State.Entries.Add(Entry(i));
            pages.State.Entries[i / 2].Ended = DateTimeOffset.UnixEpoch;
            pages.State.StepSeconds[1] = i;
            await pages.WriteStateAsync();
        }

        pages.State.Entries.RemoveRange(0, 70); // forgotten: more than a page
        await pages.WriteStateAsync();

        var read = (await ReadAsync()).State;
        Assert.Equal(pages.State.Entries, read.Entries);
        Assert.Equal(199, read.StepSeconds[1]);
        Assert.DoesNotContain("queue-000000", _disk.Files.Keys);

        read.Entries.Clear();
        var again = await ReadAsync();
        again.State.Entries.Clear();
        await again.WriteStateAsync();
        again.State.Entries.Add(Entry(1));
        await again.WriteStateAsync();
        Assert.Equal([Entry(1)], (await ReadAsync()).State.Entries);
    }

    [Fact]
    public async Task Read_FromBeforeThereWerePages_LosesNothing()
    {
        var before = new QueueState
        {
            Entries = [.. Enumerable.Range(0, 100).Select(Entry)],
            StepSeconds = { [1] = 0.25 },
        };
        _disk.Files["queue"] = before;

        var pages = await ReadAsync();
        Assert.Equal(before.Entries, pages.State.Entries);
        pages.State.Entries.Add(Entry(100));
        await pages.WriteStateAsync();

        Assert.Empty(((QueueState)_disk.Files["queue"]).Entries);
        Assert.Equal(pages.State.Entries, (await ReadAsync()).State.Entries);
    }

    [Fact]
    public async Task Write_ThatFailsAtAnyMoment_LosesNothingThatWasThereAndCanBeTriedAgain()
    {
        for (var failing = 0; failing < 5; failing++)
        {
            _disk.Files.Clear();
            var pages = await ReadAsync();
            pages.State.Entries.AddRange(Enumerable.Range(0, 64).Select(Entry));
            await pages.WriteStateAsync();

            pages.State.Entries.AddRange(Enumerable.Range(64, 100).Select(Entry));
            _disk.WritesLeft = failing;
            await Record.ExceptionAsync(pages.WriteStateAsync);
            _disk.WritesLeft = int.MaxValue;

            var killed = (await ReadAsync()).State.Entries;
            Assert.Equal(pages.State.Entries.Take(killed.Count), killed);
            Assert.True(killed.Count >= 64);

            await pages.WriteStateAsync();
            Assert.Equal(pages.State.Entries, (await ReadAsync()).State.Entries);
        }
    }

    private static QueueEntry Entry(int i) =>
        new()
        {
            Ticket = new JobTicket
            {
                JobId = $"{i:x32}",
                Kind = JobKind.Train,
                Caller = "anna",
            },
        };

    private async Task<QueuePages> ReadAsync()
    {
        var pages = new QueuePages(_disk, GrainId.Create("queue", "default"));
        await pages.ReadStateAsync();
        return pages;
    }

    /// <summary>Keeps what is written, of which nobody has another copy to change.</summary>
    private sealed class Disk : IGrainStorage
    {
        public Dictionary<string, object> Files { get; } = [];

        public List<string> Written { get; } = [];

        public int WritesLeft { get; set; } = int.MaxValue;

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            if (Files.TryGetValue(stateName, out var state))
            {
                (grainState.State, grainState.RecordExists) = ((T)state, true);
            }

            return Task.CompletedTask;
        }

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            if (WritesLeft-- <= 0)
            {
                throw new IOException("no room");
            }

            Files[stateName] = grainState.State!;
            Written.Add(stateName);
            grainState.RecordExists = true;
            return Task.CompletedTask;
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            Files.Remove(stateName);
            grainState.RecordExists = false;
            return Task.CompletedTask;
        }
    }
}
