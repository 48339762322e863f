using System.Text;
using Dti.Engine;
using Dti.Server.Services;
using Dti.V1;
using Google.Protobuf.Reflection;

namespace Dti.Server.Tests;

/// <summary>Requests by JSON against the contract, each wrong place by its path there.</summary>
public class JsonMessageCheckTests
{
    [Theory]
    [InlineData("""{"prompt": "a cat", "steps": 1}""", "prompt|options.prompt", "steps|options.steps")]
    [InlineData(
        """{"options": {"prompt": "a", "sampler": "euler", "cfg_scale": 3}}""",
        "options.sampler|options.scheduler",
        "options.cfg_scale|options.guidance_scale"
    )]
    [InlineData("""{"options": {"promt": "a"}}""", "options.promt|options.prompt")]
    [InlineData("""{"options": {"prompt": 3}}""", "options.prompt|a text in quotes")]
    [InlineData("""{"options": {"steps": "many"}}""", "options.steps|a whole number")]
    [InlineData("""{"options": {"steps": 1.5}}""", "options.steps|a whole number")]
    [InlineData("""{"options": {"steps": 3000000000}}""", "options.steps|a whole number")]
    [InlineData("""{"options": {"steps": true}}""", "options.steps|a whole number")]
    [InlineData("""{"options": {"seed": -1}}""", "options.seed|not negative")]
    [InlineData("""{"options": {"guidanceScale": "7,5"}}""", "options.guidance_scale|a number")]
    [InlineData("""{"options": {"guidanceScale": [7]}}""", "options.guidance_scale|a number")]
    [InlineData("""{"options": {"format": "PICTURE_FORMAT_JPG"}}""", "options.format|PICTURE_FORMAT_JPEG")]
    [InlineData("""{"options": {"format": "webp"}}""", "options.format|PICTURE_FORMAT_WEBP")]
    [InlineData("""{"options": "a cat"}""", "options|an object")]
    [InlineData("""{"options": [1]}""", "options|an object")]
    [InlineData("""["a cat"]""", "|a JSON object")]
    [InlineData("""{"options": {"prompt": "a cat"}""", "|not JSON")]
    [InlineData("""{'options': 1}""", "|not JSON")]
    public void Body_OfAGeneration_IsComparedWithTheContract(string body, params string[] expected) =>
        AssertFound(GenerateRequest.Descriptor, check => check.Body(Encoding.UTF8.GetBytes(body)), expected);

    [Theory]
    [InlineData("""{"name": "x", "photos": [{"data": "not base64!"}]}""", "photos[0].data|base64")]
    [InlineData(
        """{"name": "x", "photos": [{"data": ""}, {"dat": "", "fileName": 3}]}""",
        "photos[1].dat|photos[1].data",
        "photos[1].file_name|a text"
    )]
    [InlineData("""{"name": "x", "photos": {"data": ""}}""", "photos|a list")]
    [InlineData("""{"name": "x", "photos": [null]}""", "photos[0]|an object")]
    [InlineData("""{"name": "x", "overwrite": "yes"}""", "overwrite|true or false")]
    [InlineData("""{"name": "x", "options": {"templates": ["a", 2]}}""", "options.templates[1]|a text")]
    [InlineData("""{"name": "x", "options": {"method": "DTI"}}""", "options.method|TRAINING_METHOD_DTI")]
    public void Body_OfATraining_IsComparedWithTheContract(string body, params string[] expected) =>
        AssertFound(TrainRequest.Descriptor, check => check.Body(Encoding.UTF8.GetBytes(body)), expected);

    [Theory]
    [InlineData("num_nearest=3")]
    [InlineData("numNearest=3")]
    [InlineData("name=x")]
    [InlineData("num_neraest=3", "num_neraest|num_nearest")]
    [InlineData("num_nearest=many", "num_nearest|a whole number")]
    [InlineData("zzzzzzzz.b=1", "zzzzzzzz|There are")]
    public void Query_OfAnInspection_IsComparedWithTheContract(string query, params string[] expected) =>
        AssertFound(
            ConceptServiceInspectRequest.Descriptor,
            check => check.Query([(query.Split('=')[0], [query.Split('=')[1]])], ["name"]),
            expected
        );

    /// <summary>proto3's JSON: both spellings of names, numbers as texts, null for what is not set.</summary>
    [Theory]
    [InlineData("{}")]
    [InlineData("\uFEFF{\"options\": null}")]
    [InlineData(
        """{"options": {"prompt": "a \u0064og", "negative_prompt": null, "width": "64", "height": 64.0, "steps": 1e0, "seed": "3", "numImages": 1}}"""
    )]
    [InlineData(
        """{"options": {"guidance_scale": "7.5", "format": 1, "prompt_syntax": "PROMPT_SYNTAX_PLAIN", "guidanceRescale": 0}}"""
    )]
    public void Body_WhatProto3Allows_IsTaken(string body) =>
        AssertFound(GenerateRequest.Descriptor, check => check.Body(Encoding.UTF8.GetBytes(body)), []);

    private static void AssertFound(MessageDescriptor message, Action<JsonMessageCheck> act, string[] expected)
    {
        var check = new JsonMessageCheck(message);
        act(check);
        FieldViolation[] found = [.. check.Found];
        Assert.Equal(expected.Select(place => place.Split('|')[0]), found.Select(violation => violation.Field));
        Assert.All(found.Zip(expected), pair =>
            Assert.Contains(pair.Second.Split('|')[1], pair.First.Description, StringComparison.Ordinal)
        );
        Assert.All(found, violation =>
            Assert.DoesNotContain("System.", violation.Description, StringComparison.Ordinal)
        );
    }
}
