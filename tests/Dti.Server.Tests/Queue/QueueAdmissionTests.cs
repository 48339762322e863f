using Dti.Engine;
using Dti.Server.Jobs.Grains;
using Dti.Server.Security;
using Dti.V1;

namespace Dti.Server.Tests.Queue;

public sealed class QueueAdmissionTests
{
    private readonly QueueEntry _cat = QueueEntries.Entry("job", name: "cat", requestId: "once");

    [Fact]
    public void TrainingOf_NameOfATrainingThatIsNotOver_IsThatTraining()
    {
        Assert.Same(_cat.Ticket, QueueAdmission.TrainingOf("cat", "", [_cat]));
        Assert.Same(_cat.Ticket, QueueAdmission.TrainingOf("tom", "<cat>", [_cat]));
        Assert.Null(QueueAdmission.TrainingOf("dog", "", [_cat]));

        _cat.Ended = DateTimeOffset.UnixEpoch;
        Assert.Null(QueueAdmission.TrainingOf("cat", "", [_cat]));
    }

    [Fact]
    public void TrainingOf_OtherKindOfJob_TakesNoName() =>
        Assert.Null(QueueAdmission.TrainingOf("cat", "", [QueueEntries.Entry("job", JobKind.Generate, name: "cat")]));

    [Fact]
    public void NameInTraining_TrainingOfAnotherCaller_TellsNothingOfIt()
    {
        var own = QueueAdmission.NameInTraining("cat", _cat.Ticket, new Caller("anna", Scopes.Train));
        var foreign = QueueAdmission.NameInTraining("cat", _cat.Ticket, new Caller("bob", Scopes.Train));

        Assert.Equal((ErrorKind.AlreadyExists, "CONCEPT_IN_TRAINING"), (own.Kind, own.Reason));
        Assert.Equal((ErrorKind.AlreadyExists, "NAME_TAKEN"), (foreign.Kind, foreign.Reason));
        Assert.DoesNotContain("job", foreign.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_RequestIdOfTheSameRequest_IsItsJob()
    {
        Assert.Same(_cat.Ticket, QueueAdmission.Find("anna", "once", "of job", [_cat])!.Value.Known);
        Assert.Null(QueueAdmission.Find("bob", "once", "of job", [_cat]));
        Assert.Equal("REQUEST_ID_REUSED", QueueAdmission.Find("anna", "once", "other", [_cat])!.Value.Refusal!.Reason);
    }
}
