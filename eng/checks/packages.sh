#!/usr/bin/env bash
# needs: packaging python
# The packages of eng/package.sh, each installed, used and uninstalled; a server that keeps working while a build replaces its program; and the Windows
# build, which comes out of any machine with every native file in place.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
packages=$work/packages
fail() {
  echo "$*" >&2
  exit 1
}
make() { "$root/eng/package.sh" --output "$packages" --work "$work" --level 1 "$@"; }
export DTI_HOME=$work/home DOTNET_CLI_HOME=$work/dotnet-home RunAnalyzers=false
SourceRevisionId=$(git -C "$root" rev-parse HEAD 2>/dev/null || true) # as in the packages, which need not be compiled again
export SourceRevisionId

# A first build in a copy of the sources, whose stages are named, and a server that runs from it.
make --only python # copies the sources too
"$work/source/dti" --version >/dev/null 2>"$work/first"
grep -q Downloading "$work/first" && grep -q Compiling "$work/first" || fail "The first build shows no progress: $(cat "$work/first")"
program=$work/source/dti
. "$root/eng/checks/serve.bash"
running=$(readlink "$work/source/artifacts/run/current")

# A change of the engine, and a build while the server serves. The call that follows needs code that the server has not loaded yet.
echo "internal sealed class Changed;" >>"$work/source/src/Dti.Engine/Imaging/RgbImage.cs"
"$work/source/dti" --version >/dev/null 2>&1 || fail "The changed sources could not be built."
[ "$(readlink "$work/source/artifacts/run/current")" != "$running" ] || fail "The changed build has no copy of its own."
cmp -s "$work/source/artifacts/run/$running/Dti.Engine.dll" "$work/source/artifacts/published/Release/Dti.Engine.dll" && fail "The build did not change the engine."
DTI_SERVER=$address "$work/source/dti" generate "a cat" --steps 2 --width 64 --height 64 -o "$work/cat.png" >"$work/generate" 2>&1 ||
  fail "The server broke during a build: $(cat "$work/generate" "$work/serve.err")"

# Python: the wheel in a new environment, against the server. grpcio is the system's.
"${PYTHON:-/usr/bin/python3}" -m venv --system-site-packages "$work/venv"
"$work/venv/bin/python" -m pip install -q --no-index --no-deps --disable-pip-version-check "$packages"/dti-*.whl
(cd "$work" && venv/bin/python -c 'import sys, dti_client; print([m.name for m in dti_client.DtiClient(sys.argv[1]).list_models()])' "$address" | grep -q tiny-sd15) || fail "The wheel does not work."
tar -tzf "$packages"/dti-*.tar.gz --wildcards '*/dti_client/client.py' >/dev/null || fail "The sdist has no client."
kill $server
wait $server || true

# What users install: archive, .deb, tool. `doctor` loads libtorch and opens the built-in model.
make --only linux,deb,tool
(cd "$packages" && sha256sum -c --quiet SHA256SUMS)
uses() { # uses WHAT PROGRAM
  "$2" --version >/dev/null && "$2" doctor >"$work/doctor" 2>&1 || fail "$1: $(cat "$work/doctor")"
}
tar -xzf "$packages"/dti-*-linux-x64.tar.gz -C "$work"
archived=$(echo "$work"/dti-*-linux-x64)
uses "The archive" "$archived/dti"
env -u DOTNET_ROOT "$archived/dti" demo -o "$work/demo" --fast >"$work/demo.log" 2>&1 || fail "The demo: $(cat "$work/demo.log")"
[ -s "$work/demo/index.html" ] || fail "The demo wrote no page."
rm -r "$archived"

system=$work/system
mkdir -p "$system"/var/lib/dpkg/{info,updates}
touch "$system"/var/lib/dpkg/{status,available}
in_system() { dpkg --root="$system" --force-not-root --force-script-chrootless --force-depends --log=/dev/null "$@" >"$work/dpkg" 2>&1 || fail "$(cat "$work/dpkg")"; }
in_system -i "$packages"/dti_*_amd64.deb
uses "The .deb" "$system/usr/bin/dti"
grep -q '^ExecStart=/usr/lib/dti/dti serve' "$system/usr/lib/systemd/system/dti.service" || fail "The unit starts another program."
in_system -P dti
[ ! -e "$system/usr/lib/dti" ] && [ ! -e "$system/etc/dti/appsettings.json" ] || fail "The .deb left files behind."
rm -r "$system"

dotnet tool install Dti.Tool --tool-path "$work/tool" --source "$packages" -v q >"$work/install" 2>&1 || fail "$(cat "$work/install")"
uses "The tool" "$work/tool/dti"
dotnet tool uninstall Dti.Tool --tool-path "$work/tool" >/dev/null
[ ! -e "$work/tool/dti" ] || fail "The tool left its command behind."
[ "$(find "$packages" -name 'Dti.Tool.*.nupkg' -size +250M)" = "" ] || fail "A tool package exceeds NuGet's 250 MB."
rm -r "$packages"

# Windows, with the manifests of its package managers. Nothing is compressed: level 0 only stores.
make --only windows --level 0 --address https://packages.example
archive=$(echo "$packages"/dti-*-win-x64.zip)
name=$(basename "$archive" .zip)
published=$work/published/win-x64
for file in dti.exe dti.dll TorchSharp.dll LibTorchSharp.dll torch_cpu.dll c10.dll libSkiaSharp.dll models/dti-mini/model_index.json; do
  [ -s "$published/$file" ] || fail "$file is missing from the Windows build"
done
cmp -s "$work/source/artifacts/native/TorchSharp.dll" "$published/TorchSharp.dll" || fail "TorchSharp.dll is not the build's patched copy"
! ls "$published" | grep -E '\.(so|dylib)$' || fail "The Windows build holds libraries of another system"
hash=$(sha256sum "$archive" | cut -d ' ' -f 1)
for manifest in scoop/dti.json winget/Dti.Dti.installer.yaml; do
  grep -q "https://packages.example/$name.zip" "$packages/$manifest" && grep -q "$hash" "$packages/$manifest" || fail "$manifest names another archive"
done
! grep -rE '@[A-Z0-9]+@' "$packages"/{scoop,winget} || fail "A placeholder is left in a manifest."
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import json, sys; json.load(open(sys.argv[1]))' "$packages/scoop/dti.json"
