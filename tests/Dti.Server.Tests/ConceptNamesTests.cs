using Dti.Server.Libraries;

namespace Dti.Server.Tests;

public class ConceptNamesTests
{
    [Theory]
    [InlineData("my-cat", "", "MY-CAT", "")]
    [InlineData("my-cat", "<kitty>", "my-cat", "<tiger>")]
    [InlineData("my-cat", "<Dog>", "dog", "")]
    [InlineData("my-cat", "", "dog", "<My-Cat>")]
    [InlineData("my-cat", "<kitty>", "dog", "<KITTY>")]
    [InlineData("my-cat", "my-cat-word", "dog", "my-cat-word")]
    public void AreAmbiguous_NamesThatAPromptCannotDistinguish_IsTrue(
        string name,
        string placeholder,
        string otherName,
        string otherPlaceholder
    ) => Assert.True(ConceptNames.AreAmbiguous(name, placeholder, otherName, otherPlaceholder));

    [Theory]
    [InlineData("my-cat", "", "my-cats", "")]
    [InlineData("my-cat", "<kitty>", "dog", "<tiger>")]
    [InlineData("my-cat", "dog", "dog", "")]
    [InlineData("my-cat", "<dog", "dog", "")]
    [InlineData("my-cat", "<kitty>", "dog", "")]
    public void AreAmbiguous_OtherNames_IsFalse(
        string name,
        string placeholder,
        string otherName,
        string otherPlaceholder
    ) => Assert.False(ConceptNames.AreAmbiguous(name, placeholder, otherName, otherPlaceholder));
}
