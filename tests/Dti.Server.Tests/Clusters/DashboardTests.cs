using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Dti.Server.Configuration;
using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;

namespace Dti.Server.Tests.Clusters;

/// <summary>Orleans' dashboard.</summary>
public sealed class DashboardTests
{
    [Fact]
    public async Task Dashboard_AdminToken_ShowsTheSilo()
    {
        await using var server = Start(dashboard: true);
        var admin = server.Secrets[Scopes.Admin];

        using var page = await GetAsync(server, "orleans/", new("Bearer", admin));

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("<html", await Text(page), StringComparison.OrdinalIgnoreCase);
        for (var shown = ""; !shown.Contains("dashboard-host", StringComparison.Ordinal); )
        {
            await Task.Delay(50, TestContext.Current.CancellationToken); // the silo counts itself soon after its start
            using var counters = await GetAsync(server, "orleans/DashboardCounters", Basic(admin));
            Assert.Equal(HttpStatusCode.OK, counters.StatusCode);
            shown = await Text(counters);
        }
    }

    [Fact]
    public async Task Dashboard_OtherCallers_AreRefused()
    {
        await using var server = Start(dashboard: true);

        using var nobody = await GetAsync(server, "orleans/", null);
        using var wrong = await GetAsync(server, "orleans/", Basic("dti_wrong"));
        using var reader = await GetAsync(server, "orleans/DashboardCounters", Basic(server.Secrets[Scopes.Read]));

        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
        Assert.Equal("Basic", Assert.Single(nobody.Headers.WwwAuthenticate).Scheme); // so that a browser asks
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, reader.StatusCode);
    }

    [Fact]
    public async Task Dashboard_Unasked_IsNotThere()
    {
        await using var server = Start(dashboard: false);

        using var page = await GetAsync(server, "orleans/", new("Bearer", server.Secrets[Scopes.Admin]));

        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
    }

    private static GuardedServer Start(bool dashboard) =>
        GuardedServer.Start(options =>
            options with
            {
                WebPort = 0,
                Cluster = new ClusterOptions { Dashboard = dashboard, Host = "dashboard-host" },
            }
        );

    private static AuthenticationHeaderValue Basic(string token) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{token}")));

    private static async Task<HttpResponseMessage> GetAsync(
        GuardedServer server,
        string path,
        AuthenticationHeaderValue? credentials
    )
    {
        using var http = new HttpClient { DefaultRequestHeaders = { Authorization = credentials } };
        return await http.GetAsync(new Uri(server.Server.WebAddress!, path), TestContext.Current.CancellationToken);
    }

    private static Task<string> Text(HttpResponseMessage response) =>
        response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
}
