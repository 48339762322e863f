using Dti.Server.Libraries;
using Dti.Server.Security;
using Dti.V1;

namespace Dti.Server.Tests;

public sealed class CallerListsTests
{
    private readonly CallerLists _lists = new();
    private int _selections;

    [Fact]
    public void Get_LibraryUnchanged_SelectsOnceForEachCaller()
    {
        Concept[] all = [Of("anna", "a"), Of("ben", "b")];

        Assert.Same(Get(all, "anna"), Get(all, "anna"));
        Assert.Equal("b", Assert.Single(Get(all, "ben")).Name);
        Assert.Equal("a", Assert.Single(Get(all, "anna")).Name);
        Assert.Equal(2, _selections);
    }

    [Fact]
    public void Get_LibraryChanged_SelectsAgain()
    {
        Get([Of("anna", "a")], "anna");

        Assert.Equal(2, Get([Of("anna", "a"), Of("anna", "b")], "anna").Count);
    }

    [Fact]
    public void Get_SameCallerWithOtherScopes_SelectsAgain()
    {
        Concept[] all = [Of("anna", "a"), Of("ben", "b")];
        Get(all, "anna");

        Assert.Equal(2, Get(all, "anna", Scopes.Admin).Count);
    }

    private IReadOnlyList<Concept> Get(Concept[] all, string id, Scopes scopes = Scopes.None)
    {
        var caller = new Caller(id, scopes);
        return _lists.Get(all, caller, concepts =>
        {
            _selections++;
            return [.. concepts.Where(concept => caller.MaySee(concept.Owner))];
        });
    }

    private static Concept Of(string owner, string name) => new() { Owner = owner, Name = name };
}
