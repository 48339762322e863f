using Dti.Mini.World;

namespace Dti.Mini.Subjects;

/// <summary>Photos of subjects: each in five places, lights, sizes and positions.</summary>
internal static class SubjectPhotos
{
    private const int Count = 5;

    /// <summary>The scenes of a subject's photos.</summary>
    public static Scene[] Of(Subject subject)
    {
        var dice = new Dice(77, (ulong)subject.Name.Sum(letter => letter));
        var places = dice.Shuffle(Enum.GetValues<Place>().Where(place => place is not (Place.Space or Place.NightSea or Place.Underwater)));
        return
        [
            .. Enumerable.Range(0, Count).Select(i => new Scene(
                [new SceneObject(subject.Shape, ObjectColour.All[0], Pattern.Plain, ObjectSize.Medium, dice.Range(0.4f, 0.6f), Backdrops.Ground + dice.Range(0.04f, 0.12f), dice.Range(0.55f, 0.72f), dice.Range(-6, 6))],
                null, places[i], Style.Photo, i == 3 ? Lighting.Evening : Lighting.Day,
                new Camera(dice.Range(-2.5f, 2.5f), dice.Range(1, 1.06f), dice.Range(-0.02f, 0.02f), dice.Range(-0.02f, 0.02f)),
                (ulong)dice.Int(int.MaxValue))),
        ];
    }
}
