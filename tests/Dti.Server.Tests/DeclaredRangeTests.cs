using System.Globalization;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Dti.Server.Tests;

/// <summary>The ranges that the contract declares are those that the server enforces.</summary>
public sealed class DeclaredRangeTests : IAsyncLifetime
{
    private readonly TestServer _server = TestServer.Start();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Train_EveryNumberOutsideItsRange_NamesEachOfThem(bool above)
    {
        var request = TestServer.Request("cat", change: r => r.Options.Magnitude = Magnitude.Value);
        var expected = SetOutside(request.Options, above);

        var fields = await Refusal.Fields(() => _server.TrainAsync(request));

        Assert.Contains("options.gradient_accumulation", expected);
        Assert.Equal(expected.Order(), fields.Distinct().Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Generate_EveryNumberOutsideItsRange_NamesEachOfThem(bool above)
    {
        var options = TestServer.Draw("a dog");
        var expected = SetOutside(options, above);

        var fields = await Refusal.Fields(() => _server.PictureAsync(options));

        Assert.Contains("options.guidance_scale", expected);
        Assert.Equal(expected.Order(), fields.Distinct().Order());
    }

    [Fact]
    public void Ranges_OfEveryNumber_AreDeclaredAndHoldTheDefault()
    {
        // What other settings bound is not declared: layers of the model, steps.
        string[] open = ["clip_skip", "preview_every"];
        foreach (var field in Numbers(TrainingOptions.Descriptor).Concat(Numbers(GenerationOptions.Descriptor)))
        {
            var setting = field.GetOptions()?.GetExtension(SettingExtensions.Setting);
            Assert.NotNull(setting);
            if (
                setting is { HasMin: true, HasMax: true }
                && double.TryParse(setting.Default, CultureInfo.InvariantCulture, out var value)
            )
            {
                Assert.InRange(value, setting.Min, setting.Max);
            }
            else if (setting is not { HasMin: true, HasMax: true })
            {
                Assert.Contains(field.Name, open);
            }
        }
    }

    private static List<string> SetOutside(IMessage options, bool above)
    {
        var fields = new List<string>();
        foreach (var field in Numbers(options.Descriptor))
        {
            var setting = field.GetOptions().GetExtension(SettingExtensions.Setting);
            if (!setting.HasMin || !setting.HasMax)
                continue;
            var value = above
                ? setting.Max + (setting.MaxExcluded ? 0 : 1)
                : setting.Min - (setting.MinExcluded ? 0 : 1);
            field.Accessor.SetValue(options, field.FieldType == FieldType.Int32 ? (object)(int)value : value);
            fields.Add("options." + field.Name);
        }

        return fields;
    }

    private static IEnumerable<FieldDescriptor> Numbers(MessageDescriptor message) =>
        message.Fields.InDeclarationOrder().Where(field => field.FieldType is FieldType.Int32 or FieldType.Double);
}
