using Dti.Server.Jobs.Grains;
using Dti.V1;

namespace Dti.Server.Tests.Queue;

public sealed class FairOrderTests
{
    private readonly FairOrder _order = new();
    private readonly List<QueueEntry> _waiting = [];

    [Fact]
    public void Next_OneCallerWithManyJobs_DoesNotHoldUpTheOther()
    {
        Wait("anna", 5, JobKind.Train);
        Wait("bob", 2, JobKind.Train);

        Assert.Equal(["anna-0", "bob-0", "anna-1", "bob-1", "anna-2", "anna-3", "anna-4"], Served(7));
    }

    [Fact]
    public void Next_WhoWasServedLast_WaitsForTheOthers()
    {
        Wait("anna", 1, JobKind.Train);
        Served(1);
        Wait("anna", 1, JobKind.Train);
        Wait("bob", 1, JobKind.Train);

        Assert.Equal(["bob-0", "anna-0"], Served(2));
    }

    [Fact]
    public void Next_InteractiveJobs_GoFirstButNoTrainingStarves()
    {
        Wait("anna", 2, JobKind.Train);
        Wait("bob", 4, JobKind.Generate);

        Assert.Equal(["bob-0", "anna-0", "bob-1", "anna-1", "bob-2", "bob-3"], Served(6));
    }

    [Fact]
    public void Next_BesideATraining_IsInteractiveAndHasRoom()
    {
        Wait("anna", 1, JobKind.Train);
        Assert.Null(_order.Next(_waiting, duringTraining: true));

        Wait("bob", 2, JobKind.Interpolate);
        _waiting[1].Alone = true; // its model found no room
        Assert.Equal("bob-1", _order.Next(_waiting, duringTraining: true)!.Ticket.Name);
    }

    [Fact]
    public void Next_ThousandsOfJobs_LooksNoFurtherThanNecessary()
    {
        Wait("anna", 10_000, JobKind.Train);
        var asked = 0;

        var next = _order.Next(_waiting, duringTraining: false, _ => ++asked == 3);

        Assert.Equal(("anna-2", 3), (next?.Ticket.Name, asked));
    }

    [Fact]
    public void Next_JobThatMayNotStart_IsSkippedForTheSameCaller()
    {
        Wait("anna", 2, JobKind.Train);
        Wait("bob", 1, JobKind.Train);

        var next = _order.Next(_waiting, duringTraining: false, entry => entry.Ticket.Name != "anna-0");

        Assert.Equal("anna-1", next?.Ticket.Name);
    }

    private void Wait(string caller, int jobs, JobKind kind) =>
        _waiting.AddRange(
            Enumerable
                .Range(0, jobs)
                .Select(i => new QueueEntry
                {
                    Ticket = new JobTicket
                    {
                        JobId = Guid.NewGuid().ToString("N"),
                        Kind = kind,
                        Caller = caller,
                        Name = $"{caller}-{i}",
                    },
                })
        );

    private string[] Served(int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                {
                    var next = _order.Next(_waiting, duringTraining: false)!;
                    _order.Serve(next);
                    _waiting.Remove(next);
                    return next.Ticket.Name;
                }),
        ];
}
