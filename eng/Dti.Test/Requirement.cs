namespace Dti.Test;

/// <summary>Software of the machine that some parts need in addition to the .NET SDK.</summary>
/// <param name="Package">What it is called, as a message names it.</param>
/// <param name="Install">The command that installs it on Debian and Ubuntu.</param>
/// <param name="IsHere">Looks for it.</param>
internal sealed record Requirement(string Package, string Install, Func<bool> IsHere)
{
    private const string PythonModules = "import grpc, google.protobuf, numpy, PIL, pytest";

    private static readonly Lazy<string?> _python = new(() =>
        new[] { "python3", "python" }.SelectMany(ChildProcess.FindAll).FirstOrDefault(HasModules)
    );

    /// <summary>Requirements by the word with which a check's <c># needs:</c> line names them.</summary>
    public static IReadOnlyDictionary<string, Requirement> Known { get; } =
        new Dictionary<string, Requirement>
        {
            ["chromium"] = new("Chromium", "apt-get install chromium", () =>
                new[] { "chromium", "chromium-browser", "google-chrome" }.Any(name =>
                    ChildProcess.Find(name) is not null
                )
            ),
            ["curl"] = new("curl", "apt-get install curl", () => ChildProcess.Find("curl") is not null),
            ["node"] = new("Node.js 18 or newer with npm", "apt-get install nodejs npm", () =>
                ChildProcess.Find("node") is not null && ChildProcess.Find("npm") is not null
            ),
            ["packaging"] = new(
                "dpkg, zip, and Python 3 with setuptools and venv",
                "apt-get install dpkg zip python3-setuptools python3-venv",
                () =>
                    ChildProcess.Find("dpkg-deb") is not null
                    && ChildProcess.Find("zip") is not null
                    && ChildProcess
                        .Run(".", "/usr/bin/python3", ["-c", "import setuptools, ensurepip"], TimeSpan.FromMinutes(1))
                        .Succeeded
            ),
            ["netns"] = new("root rights and ip, for a network of its own", "apt-get install iproute2", () =>
                Environment.IsPrivilegedProcess && ChildProcess.Find("ip") is not null
            ),
            ["postgres"] = new("PostgreSQL", "apt-get install postgresql", () =>
                Directory.Exists("/usr/lib/postgresql")
            ),
            ["protoc"] = new(
                "protoc with gRPC's plugin for Python",
                "apt-get install protobuf-compiler protobuf-compiler-grpc libprotobuf-dev",
                () => ChildProcess.Find("protoc") is not null && ChildProcess.Find("grpc_python_plugin") is not null
            ),
            ["python"] = new(
                "Python 3 with grpcio, protobuf, numpy, pillow and pytest",
                "apt-get install python3-grpcio python3-protobuf python3-numpy python3-pil python3-pytest",
                () => Python is not null
            ),
        };

    /// <summary>The first Python on <c>PATH</c> that has the modules; null: none.</summary>
    public static string? Python => _python.Value;

    private static bool HasModules(string python) =>
        ChildProcess.Run(".", python, ["-c", PythonModules], TimeSpan.FromMinutes(1)).Succeeded;
}
