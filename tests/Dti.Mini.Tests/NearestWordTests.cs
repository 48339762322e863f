using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;
using Dti.Mini.Study;
using Dti.Mini.Subjects;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Mini.Tests;

public class NearestWordTests
{
    [Theory]
    [InlineData(4, "castle")]
    [InlineData(8, "jug")]
    public void Among_WordsOfSeveralKinds_IsThatOfTheDesignsFamily(int index, string family)
    {
        using var scope = NewDisposeScope();
        var profile = ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Repository, MiniWorld.ModelFolder));
        using var model = StableDiffusionModel.Load(profile, new ComputeTarget(CPU, ScalarType.Float32));
        var settings = TrainingSettings.Resolve(StudyMethods.Default.Options("star", seed: 1), "design", profile);
        var photos = StudyTraining.Set(settings, StudyTraining.Photos(SubjectPhotos.Of(Design.HeldOut(index), index)));

        Assert.Equal(family, NearestWord.Among(["moon", "jug", "fish", "castle", "chair"], model, settings, photos));
    }
}
