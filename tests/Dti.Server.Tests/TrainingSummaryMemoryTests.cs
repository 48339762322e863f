using Dti.Engine.Imaging;
using Dti.Engine.Training;
using Dti.Server.Jobs;
using Dti.Server.Mapping;
using Dti.Server.Tests.Infrastructure;

namespace Dti.Server.Tests;

[Collection(nameof(WholeProcess))] // others draw, too
public class TrainingSummaryMemoryTests
{
    [Fact]
    public void Draw_Often_KeepsNoMoreOfTheFont()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && PlotFont.File is not null, "reads /proc, and needs a font");
        var summary = TrainingSummaryTests.Summary();
        summary.Add(EventMapping.Of(new TrainingStep(1, 40, 0.2, 0.2, 0.4, 1, 0.1, 0.01, 1, TimeSpan.Zero)).Message);
        summary.Add(
            EventMapping.Of(new TrainingPreview(1, 0, new RgbImage(8, 8, new byte[8 * 8 * 3]), "a prompt", 1)).Message
        );
        summary.Render();
        var before = Mappings();

        for (var i = 0; i < 20; i++)
        {
            summary.Render();
        }

        Assert.InRange(Mappings(), 0, before + 5);

        static int Mappings() =>
            File.ReadLines("/proc/self/maps").Count(line => line.EndsWith(PlotFont.File!, StringComparison.Ordinal));
    }
}
