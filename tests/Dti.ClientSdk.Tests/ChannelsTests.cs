using Dti.ClientSdk.Internal;

namespace Dti.ClientSdk.Tests;

public class ChannelsTests
{
    [Theory]
    [InlineData("http://localhost:5171", "http://localhost:5171/")]
    [InlineData("https://dti.example", "https://dti.example/")]
    [InlineData("localhost:5171", "http://localhost:5171/")]
    [InlineData("[::1]:5171", "http://[::1]:5171/")]
    public void Parse_Address_GivesUri(string address, string uri) =>
        Assert.Equal(uri, Channels.Parse(address).AbsoluteUri);

    [Theory]
    [InlineData("http://127.0.0.1:5171/dti", "http://127.0.0.1:5171")]
    [InlineData("gpu:5171/dti/", "http://gpu:5171")]
    [InlineData("https://gpu?model=x", "https://gpu")]
    [InlineData("https://gpu/#top", "https://gpu")]
    [InlineData("https://me:secret@gpu", "https://gpu")]
    public void Parse_MoreThanHostAndPort_SaysWhatToWrite(string address, string expected)
    {
        var exception = Assert.Throws<UriFormatException>(() => Channels.Parse(address));
        Assert.EndsWith($"; write {expected}.", exception.Message, StringComparison.Ordinal);
    }

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
