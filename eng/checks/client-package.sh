#!/usr/bin/env bash
# The C# client packs: for both frameworks, with its README and documentation, and depending on two packages alone.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

dotnet pack "$root/src/Dti.ClientSdk" -c Release -o "$out" -v q --nologo
/usr/bin/python3 -m zipfile -e "$out"/Dti.ClientSdk.*.nupkg "$out"

for framework in netstandard2.1 net10.0; do
  for file in "lib/$framework/Dti.ClientSdk.dll" "lib/$framework/Dti.ClientSdk.xml"; do
    [ -s "$out/$file" ] || { echo "$file is missing from the package"; exit 1; }
  done
done
[ -s "$out/README.md" ] || { echo "The package has no README"; exit 1; }
grep -q '<repository type="git".* commit="[0-9a-f]\{40\}"' "$out/Dti.ClientSdk.nuspec" || { echo "The package does not say which commit it is"; exit 1; }
dependencies=$(grep -o '<dependency id="[^"]*"' "$out/Dti.ClientSdk.nuspec" | cut -d '"' -f 2 | sort -u | tr '\n' ' ')
[ "$dependencies" = "Google.Protobuf Grpc.Net.Client " ] || { echo "The package depends on: $dependencies"; exit 1; }
