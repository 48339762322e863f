using Dti.ClientSdk.Internal;

namespace Dti.ClientSdk.Tests;

public class ChannelsTests
{
    [Theory]
    [InlineData("http://localhost:5171", "http://localhost:5171/")]
    [InlineData("https://dti.example", "https://dti.example/")]
    [InlineData("localhost:5171", "http://localhost:5171/")]
    [InlineData("[::1]:5171", "http://[::1]:5171/")]
    public void Parse_Address_GivesUri(string address, string uri) => Assert.Equal(uri, Channels.Parse(address).AbsoluteUri);

    [Theory]
    [InlineData("")]
    [InlineData("http://")]
    [InlineData("ftp://localhost")]
    [InlineData("http://localhost:99999")]
    public void Parse_NoAddress_SaysHowToWriteOne(string address)
    {
        var exception = Assert.Throws<UriFormatException>(() => Channels.Parse(address));
        Assert.Contains("http://localhost:5171", exception.Message, StringComparison.Ordinal);
    }
}
