using Dti.Mini.World;
using Dti.Mini.World.Designs;

namespace Dti.Mini.Subjects;

/// <summary>Photos of subjects: each in five places, lights, sizes and positions.</summary>
internal static class SubjectPhotos
{
    /// <summary>Photos of a subject.</summary>
    public const int Count = 5;

    /// <summary>The scenes of a held-out design's photos.</summary>
    /// <param name="design">The design.</param>
    /// <param name="seed">Of places, lights, sizes and positions.</param>
    public static Scene[] Of(Design design, int seed)
    {
        var dice = new Dice(78, (ulong)seed);
        var places = dice.Shuffle(
            Enum.GetValues<Place>().Where(place => place is not (Place.Space or Place.NightSea or Place.Underwater))
        );
        return
        [
            .. Enumerable
                .Range(0, Count)
                .Select(i => new Scene(
                    [
                        SceneObject.Of(new DesignedObject(design, null, null), ObjectSize.Medium) with
                        {
                            X = dice.Range(0.44f, 0.56f),
                            Foot = Backdrops.Ground + dice.Range(0.06f, 0.12f),
                            Extent = dice.Range(0.62f, 0.74f),
                            Tilt = dice.Range(-6, 6),
                        },
                    ],
                    null,
                    places[i],
                    Style.Photo,
                    i == 3 ? Lighting.Evening : Lighting.Day,
                    new Camera(
                        dice.Range(-2.5f, 2.5f),
                        dice.Range(1, 1.06f),
                        dice.Range(-0.02f, 0.02f),
                        dice.Range(-0.02f, 0.02f)
                    ),
                    (ulong)dice.Int(int.MaxValue)
                )),
        ];
    }

    /// <summary>The scenes of a subject's photos.</summary>
    public static Scene[] Of(Subject subject) => Of(subject.Design, subject.Index);
}
