namespace Dti.Cli.Tests;

public class ProgramNameTests(ServeFixture server)
{
    [Fact]
    public void Of_Installed_IsDti()
    {
        var folder = server.NewFolder();

        Assert.Equal("dti", ProgramName.Of(folder, folder, windows: false));
        Assert.Equal("dti", ProgramName.Of(folder, folder, windows: true));
    }

    [Fact]
    public void Of_Clone_IsItsScriptAsItIsTypedThere()
    {
        var clone = server.NewFolder();
        foreach (var file in new[] { "dti", "dti.cmd", "Dti.sln" })
            File.WriteAllText(Path.Combine(clone, file), "");
        var program = Path.Combine(clone, "artifacts", "bin", "Release");

        Assert.Equal("./dti", ProgramName.Of(program, clone, windows: false));
        Assert.Equal(@".\dti.cmd", ProgramName.Of(program, clone, windows: true));
        Assert.Equal(Path.Combine(clone, "dti"), ProgramName.Of(program, server.NewFolder(), windows: false));
    }
}
