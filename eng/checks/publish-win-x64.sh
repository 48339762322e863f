#!/usr/bin/env bash
# A Windows build comes out of any machine, with every native file in place.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# A copy of the sources: restoring for another system would make the next build here restore again.
mkdir "$out/source"
cd "$root"
cp -R ./*.props ./*.targets global.json .editorconfig eng src protos "$out/source"
cd "$out/source"
dotnet publish src/Dti.Cli -c Release -r win-x64 -o "$out/published" -v q --nologo -p:RunAnalyzers=false

for file in dti.exe dti.dll TorchSharp.dll LibTorchSharp.dll torch_cpu.dll c10.dll libSkiaSharp.dll; do
  [ -s "$out/published/$file" ] || { echo "$file is missing from the Windows build"; exit 1; }
  case $file in *.so) exit 1 ;; esac
done
cmp -s artifacts/native/TorchSharp.dll "$out/published/TorchSharp.dll" || { echo "TorchSharp.dll is not the build's patched copy"; exit 1; }
if ls "$out/published" | grep -E '\.(so|dylib)$'; then
  echo "The Windows build holds libraries of another system"
  exit 1
fi
