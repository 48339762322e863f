using System.Collections;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Hosting;
using Dti.Tests;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Configuration;

namespace Dti.Server.Tests;

/// <summary>The manifests in <c>packaging/kubernetes</c>, as the models of Kubernetes' API read them.</summary>
public sealed class KubernetesManifestTests
{
    private static readonly string _folder = Path.Combine(Fixtures.Root, "..", "..", "packaging", "kubernetes");

    // made by hand, as docs/cluster.md says
    private static readonly string[] _secrets = ["dti-cluster", "dti-hosts", "dti-tls", "dti-tokens"];

    private static readonly List<object> _objects =
    [
        .. Files.SelectMany(file =>
            KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(_folder, file)), strict: true)
        ),
    ];

    /// <summary>What kustomization.yaml lists.</summary>
    private static IEnumerable<string> Files =>
        File.ReadLines(Path.Combine(_folder, "kustomization.yaml"))
            .Where(line =>
                line.StartsWith("  - ", StringComparison.Ordinal) && line.EndsWith(".yaml", StringComparison.Ordinal)
            )
            .Select(line => line[4..]);

    private static V1Deployment Gateway => _objects.OfType<V1Deployment>().Single();

    private static V1StatefulSet Worker => _objects.OfType<V1StatefulSet>().Single();

    private static IEnumerable<V1PodTemplateSpec> Pods =>
        [Gateway.Spec.Template, Worker.Spec.Template, _objects.OfType<V1Job>().Single().Spec.Template];

    [Fact]
    public void Files_AllOfTheFolder_AreListed() =>
        Assert.Equal(
            Directory
                .GetFiles(_folder, "*.yaml")
                .Select(Path.GetFileName)
                .Where(name => name != "kustomization.yaml")
                .Order(StringComparer.Ordinal),
            Files.Order(StringComparer.Ordinal)
        );

    [Fact]
    public void Selectors_OfControllersAndServices_MatchTheirPods()
    {
        Assert.Equal(Gateway.Spec.Selector.MatchLabels, Gateway.Spec.Template.Metadata.Labels);
        Assert.Equal(Worker.Spec.Selector.MatchLabels, Worker.Spec.Template.Metadata.Labels);
        Assert.All(_objects.OfType<V1Service>(), service =>
        {
            var pod = Assert.Single(Pods, pod => service.Spec.Selector.All(pod.Metadata.Labels.Contains));
            Assert.All(service.Spec.Ports, port =>
                Assert.Contains(pod.Spec.Containers[0].Ports, one => one.Name == port.TargetPort.Value)
            );
        });
        Assert.Equal(
            Worker.Spec.ServiceName,
            Assert.Single(_objects.OfType<V1Service>(), service => service.Spec.ClusterIP == "None").Metadata.Name
        );
    }

    [Fact]
    public void References_OfPods_Exist()
    {
        string[] settings = [.. _objects.OfType<V1ConfigMap>().Select(map => map.Metadata.Name)];
        string[] claims = [.. _objects.OfType<V1PersistentVolumeClaim>().Select(claim => claim.Metadata.Name)];
        Assert.All(Pods, pod =>
        {
            var container = Assert.Single(pod.Spec.Containers);
            Assert.All(container.EnvFrom, source =>
                Assert.Contains(
                    source.ConfigMapRef?.Name ?? source.SecretRef.Name,
                    source.ConfigMapRef is null ? _secrets : settings
                )
            );
            Assert.Equal(
                pod.Spec.Volumes.Select(volume => volume.Name).Order(),
                container.VolumeMounts.Select(mount => mount.Name).Order()
            );
            Assert.All(pod.Spec.Volumes, volume =>
                Assert.True(
                    volume.EmptyDir is not null
                        || claims.Contains(volume.PersistentVolumeClaim?.ClaimName)
                        || _secrets.Contains(volume.Secret?.SecretName)
                )
            );
        });
    }

    [Fact]
    public void Settings_OfEachRole_AreThoseOfTheServer()
    {
        Assert.Equal("gateway", Bind(Gateway.Spec.Template).Cluster.Role);
        Assert.Equal("worker", Bind(Worker.Spec.Template).Cluster.Role);
    }

    [Fact]
    public void GracePeriod_OfEachRole_IsLongerThanItsStop() =>
        Assert.All([Gateway.Spec.Template, Worker.Spec.Template], pod =>
        {
            var options = Bind(pod);
            Assert.True(
                pod.Spec.TerminationGracePeriodSeconds > (options.DrainTime + options.StopTimeout).TotalSeconds
            );
        });

    [Fact]
    public void Probes_OfEachRole_AskForWhatThereIs() =>
        Assert.All([Gateway.Spec.Template, Worker.Spec.Template], pod =>
        {
            var container = pod.Spec.Containers[0];
            Assert.Equal(["dti", "doctor", "--ready"], container.ReadinessProbe.Exec.Command);
            Assert.All([container.StartupProbe, container.LivenessProbe], probe =>
                Assert.Contains(container.Ports, port => port.Name == probe.TcpSocket.Port.Value)
            );
            Assert.Contains(container.Ports, port =>
                port.Name == "silo" && port.ContainerPort == Bind(pod).Cluster.Port
            );
        });

    /// <summary>The options of a pod's environment; a variable that is none of Dti fails.</summary>
    private static DtiServerOptions Bind(V1PodTemplateSpec pod)
    {
        var maps = _objects.OfType<V1ConfigMap>().ToDictionary(map => map.Metadata.Name, map => map.Data);
        var container = pod.Spec.Containers[0];
        var variables = container
            .EnvFrom.Where(source => source.ConfigMapRef is not null)
            .SelectMany(source => maps[source.ConfigMapRef.Name])
            .Concat(
                container.Env.Select(variable =>
                    KeyValuePair.Create(
                        variable.Name,
                        variable.ValueFrom.FieldRef.FieldPath == "status.podIP" ? "10.0.0.5" : "pod-0"
                    )
                )
            )
            .Append(KeyValuePair.Create("DTI_CLUSTER__CONNECTION", "redis:6379"))
            .ToDictionary(pair => pair.Key, pair => pair.Value);
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(ServerConfiguration.OfEnvironment(new Hashtable(variables)))
            .AddInMemoryCollection(ServerConfiguration.OfList("ModelFolders", ["/models"]))
            .AddInMemoryCollection([
                ServerConfiguration.Setting("ConceptFolder", "/var/lib/dti/concepts"),
                ServerConfiguration.Setting("JobFolder", "/var/lib/dti/jobs"),
            ])
            .Build();
        Assert.Empty(ConfigurationChecks.OfUnknownKeys(configuration));
        var wrong = Assert.Throws<ValidationException>(() => ServerConfiguration.Bind(configuration));
        Assert.All(wrong.Violations, violation =>
            Assert.True(
                violation.Field == "Security.TokenFile"
                    || violation.Description.Contains("/etc/dti/", StringComparison.Ordinal),
                violation.Description
            ) // what the secrets contain is not here
        );
        return configuration.GetSection(ServerConfiguration.Section).Get<DtiServerOptions>()!;
    }
}
