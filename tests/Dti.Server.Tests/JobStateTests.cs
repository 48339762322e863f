using System.Globalization;
using Dti.Server.Jobs.Grains;
using Dti.V1;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Dti.Server.Tests;

/// <summary>What lies on disk of jobs is read by every later version: these bytes were written by the first.</summary>
public sealed class JobStateTests
{
    // What Written_NowAndReadAgain_IsTheSame prints; new members may be added to the records, with new ids. Never
    // change these bytes.
    private const string JobBytes =
        "IOgg6EBBMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYJAwVBCWFubmFBCW1pbmVBB2YwMEENbXktY2F0AWIJIYAA4Kqh60rfCIEAAAAAAAAAAOBBEzAwLTEtMi0wMQEdARHgCQMRAQ0hgIB2"
        + "Q6LrSt8IgQAAAAAAAAAA4CGAAA3coutK3wiBAAAAAAAAAADgQQcBAgMBRQEDAUng";

    private const string QueueBytes =
        "ICAAAyHoIOhAQTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmCQMFQQlhbm5hQQltaW5lQQdmMDBBDW15LWNhdAFiCSGAAOCqoetK3wiBAAAAAAAAAADgQRMwMC0xLTItMDEBHQER4EERaGVy"
        + "ZS9jcHVBCWxpZmUhgADgqqHrSt8IgQAAAAAAAAAA4AED4OAhAQMBBYAAAAAAAADQP+Dg";

    private static readonly JobTicket _ticket = new()
    {
        JobId = "0123456789abcdef0123456789abcdef",
        Kind = JobKind.Train,
        Caller = "anna",
        RequestId = "mine",
        Fingerprint = "f00",
        Name = "my-cat",
        TotalSteps = 300,
        Created = DateTimeOffset.Parse("2026-11-25T12:00:00Z", CultureInfo.InvariantCulture),
        TraceParent = "00-1-2-01",
        Scopes = 7,
        Pictures = 4,
    };

    private static readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private static Serializer Serializer => _services.GetRequiredService<Serializer>();

    private static JobRecord Job =>
        new()
        {
            Ticket = _ticket,
            State = JobState.Failed,
            Epoch = 3,
            Started = _ticket.Created.AddSeconds(1),
            Ended = _ticket.Created.AddSeconds(2),
            Failure = [1, 2, 3],
            LastCrashStep = 17,
            CancelRequested = true,
            Step = 18,
        };

    private static QueueState Queue =>
        new()
        {
            Entries =
            {
                new QueueEntry
                {
                    Ticket = _ticket,
                    Device = "here/cpu",
                    Incarnation = "life",
                    Ended = _ticket.Created,
                    Alone = true,
                },
            },
            StepSeconds = { [1] = 0.25 },
        };

    [Fact]
    public void JobRecord_OfTheFirstVersion_IsRead()
    {
        var job = Serializer.Deserialize<JobRecord>(Convert.FromBase64String(JobBytes))!;

        Assert.Equal(Job with { Failure = [] }, job with { Failure = [] });
        Assert.Equal(Job.Failure, job.Failure);
    }

    [Fact]
    public void QueueState_OfTheFirstVersion_IsRead()
    {
        var queue = Serializer.Deserialize<QueueState>(Convert.FromBase64String(QueueBytes))!;

        Assert.Equal(Queue.Entries, queue.Entries);
        Assert.Equal(Queue.StepSeconds, queue.StepSeconds);
    }

    [Fact]
    public void Written_NowAndReadAgain_IsTheSame()
    {
        var job = Serializer.Deserialize<JobRecord>(Serializer.SerializeToArray(Job))!;
        TestContext.Current.TestOutputHelper!.WriteLine(Convert.ToBase64String(Serializer.SerializeToArray(Job)));
        TestContext.Current.TestOutputHelper!.WriteLine(Convert.ToBase64String(Serializer.SerializeToArray(Queue)));
        Assert.Equal(_ticket, job.Ticket);
    }

    [Fact]
    public void JobEvent_InTheProcessThatWroteIt_IsNotParsedAgain()
    {
        var response = new TrainResponse { Progress = new TrainProgress { Step = 3 } };
        var copier = _services.GetRequiredService<DeepCopier>(); // what Orleans does with the arguments of a local call

        var received = copier.Copy(new EventBatch(0, [JobEvent.Of(3, response)], 3));

        Assert.Same(response, Assert.Single(received.Events).Parse(JobKind.Train));
    }

    [Fact]
    public void JobEvent_InAnotherProcess_IsParsedOnce()
    {
        var response = new TrainResponse { Progress = new TrainProgress { Step = 3 } };
        var sent = Serializer.SerializeToArray(new EventBatch(0, [JobEvent.Of(3, response)], 3));

        var received = Assert.Single(Serializer.Deserialize<EventBatch>(sent)!.Events);

        Assert.Equal(response, received.Parse(JobKind.Train));
        Assert.Same(received.Parse(JobKind.Train), received.Parse(JobKind.Train));
    }
}
