using Dti.Cli.Commands;
using Dti.ClientSdk;
using Grpc.Core;

namespace Dti.Cli.Tests;

public class ConceptImportTests
{
    [Fact]
    public void WithPaths_FieldsOfFiles_AreCalledByTheirPaths()
    {
        var refused = new DtiClientException(
            StatusCode.InvalidArgument,
            "data: row 1 of tensor 'x' is all zero. second_data must be a file. name is taken."
        )
        {
            FieldViolations =
            [
                new("data", "data: row 1 of tensor 'x' is all zero."),
                new("second_data", "second_data must be a file."),
                new("name", "name is taken."),
            ],
        };

        var named = ConceptsCommand.WithPaths(refused, ["a/one.safetensors", "two.safetensors"]);

        Assert.Equal(
            "a/one.safetensors: row 1 of tensor 'x' is all zero. two.safetensors must be a file. name is taken.",
            named.Message
        );
        Assert.Equal("name", Assert.Single(named.FieldViolations).Field);
        Assert.Equal(StatusCode.InvalidArgument, named.Status);
    }

    [Fact]
    public void WithPaths_NoFileAtFault_IsTheSameError()
    {
        var refused = new DtiClientException(StatusCode.NotFound, "There is no model 'x'.");
        Assert.Same(refused, ConceptsCommand.WithPaths(refused, ["a"]));
    }
}
