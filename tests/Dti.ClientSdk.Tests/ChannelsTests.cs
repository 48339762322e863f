using Dti.ClientSdk.Internal;

namespace Dti.ClientSdk.Tests;

public class ChannelsTests
{
    [Theory]
    [InlineData("http://localhost:7417", "http://localhost:7417/")]
    [InlineData("https://dti.example", "https://dti.example/")]
    [InlineData("localhost:7417", "http://localhost:7417/")]
    [InlineData("[::1]:7417", "http://[::1]:7417/")]
    public void Parse_Address_GivesUri(string address, string uri) => Assert.Equal(uri, Channels.Parse(address).AbsoluteUri);

    [Theory]
    [InlineData("")]
    [InlineData("http://")]
    [InlineData("ftp://localhost")]
    [InlineData("http://localhost:99999")]
    public void Parse_NoAddress_SaysHowToWriteOne(string address)
    {
        var exception = Assert.Throws<UriFormatException>(() => Channels.Parse(address));
        Assert.Contains("http://localhost:7417", exception.Message, StringComparison.Ordinal);
    }
}
