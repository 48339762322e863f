namespace Dti.Server.Security;

/// <summary>What a caller may do. Where a table asks for several, one of them is enough.</summary>
[Flags]
internal enum Scopes
{
    /// <summary>Nothing; in the table: everybody may, also without a token.</summary>
    None = 0,

    /// <summary>See models, the server, and the caller's own concepts and jobs.</summary>
    Read = 1,

    /// <summary>Generate images.</summary>
    Generate = 2,

    /// <summary>Learn, import and delete concepts of the caller's own.</summary>
    Train = 4,

    /// <summary>Everything, also with what belongs to others.</summary>
    Admin = 8,

    /// <summary>All scopes, or any of them.</summary>
    Any = Read | Generate | Train | Admin,
}
