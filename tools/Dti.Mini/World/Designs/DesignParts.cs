namespace Dti.Mini.World.Designs;

/// <summary>What a design is a kind of; the name is the word of captions.</summary>
internal enum DesignFamily
{
    Creature,
    Bird,
    Jug,
    Robot,
    Castle,
    Truck,
}

/// <summary>The outline of a design's body.</summary>
internal enum BodyShape
{
    Round,
    Tall,
    Square,
    Pear,
}

/// <summary>What stands on a design's body.</summary>
internal enum Top
{
    Crown,
    Horns,
    Antenna,
    Ears,
    Hat,
    Leaf,
}

/// <summary>The eyes of a design.</summary>
internal enum Eyes
{
    One,
    Two,
    Sleepy,
    Glasses,
}

/// <summary>What a design has at its sides.</summary>
internal enum Sides
{
    Wings,
    Arms,
    Rings,
    Bare,
}

/// <summary>The mark on the lower half of a design's body.</summary>
internal enum Mark
{
    Belly,
    Heart,
    Star,
    Blank,
}

/// <summary>What a modified design is made of.</summary>
internal enum Material
{
    /// <summary>Its own colours.</summary>
    None,
    Glass,
    Golden,
    Wooden,
    Stone,
}
