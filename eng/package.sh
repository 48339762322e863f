#!/usr/bin/env bash
# Makes the packages of Dti, from any Linux machine with the .NET SDK. docs/install.md describes them. Options:
#   --only KIND,…       some of: linux (archive), windows (archive, winget, scoop), deb, tool, nuget, python. Default: all of them
#   --output FOLDER     default: artifacts/packages
#   --address URL       the folder of the web from which users will download the archives; it is written into winget's and scoop's manifests
#   --cuda              libtorch for NVIDIA cards instead of the CPU's
#   --level 1…9         compression; 9 unless it is given
#   --work FOLDER       keeps the copy of the sources and what was published there, for another call
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

only=linux,windows,deb,tool,nuget,python output=$root/artifacts/packages address=https://downloads.example/dti torch=cpu level=9 work=
while [ $# -gt 0 ]; do
  case $1 in
    --only) only=$2; shift ;;
    --output) output=$2; shift ;;
    --address) address=${2%/}; shift ;;
    --cuda) torch=cuda ;;
    --level) level=$2; shift ;;
    --work) work=$2; shift ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  shift
done
if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
wants() { [[ ,$only, == *,$1,* ]]; }

version=$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' "$root/Directory.Build.props")
commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || true)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
suffix=
[ $torch = cpu ] || suffix=-$torch
mkdir -p "$output"

# A copy of the sources: restoring for another system would make the next build here restore again.
if [ ! -d "$work/source" ]; then
  mkdir -p "$work/source"
  (cd "$root" && tar -c ./*.props ./*.targets global.json .editorconfig dti eng src protos models samples/{star-castle,chess-jug} clients/studio/dist packaging/icon.png LICENSE README.md) |
    tar -x -C "$work/source"
fi

dotnet_here() { # dotnet_here VERB ARGUMENT...: in the copy
  (cd "$work/source" && dotnet "$@" -c Release -v q --nologo -p:Torch=$torch -p:RunAnalyzers=false -p:SourceRevisionId="$commit")
}

publish() { # publish RUNTIME: a folder with .NET and libtorch, once for all packages that contain it
  local folder=$work/published/$1$suffix
  [ -d "$folder" ] || dotnet_here publish src/Dti.Cli -r "$1" --self-contained -o "$folder.new"
  [ -d "$folder" ] || mv "$folder.new" "$folder"
}

archive_folder() { # archive_folder RUNTIME: prepares the folder that an archive contains, and sets $name
  publish "$1"
  name=dti-$version-$1$suffix
  mkdir -p "$work/archive"
  rm -rf "${work:?}/archive/$name"
  cp -al "$work/published/$1$suffix" "$work/archive/$name"
  cp "$root/LICENSE" "$root/README.md" "$work/archive/$name/"
}

if wants linux; then
  archive_folder linux-x64
  tar -c -C "$work/archive" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner "$name" | gzip -n "-$level" >"$output/$name.tar.gz"
fi

if wants windows; then
  archive_folder win-x64
  rm -f "$output/$name.zip"
  (cd "$work/archive" && find "$name" -type f | LC_ALL=C sort | zip -q -X "-$level" -@ "$output/$name.zip")
  hash=$(sha256sum "$output/$name.zip" | cut -d ' ' -f 1)
  for template in "$root"/packaging/{winget,scoop}/*.*; do
    file=$output/$(basename "$(dirname "$template")")/$(basename "$template")
    mkdir -p "$(dirname "$file")"
    sed "s|@VERSION@|$version|g; s|@NAME@|$name|g; s|@ADDRESS@|$address|g; s|@SHA256@|$hash|g" "$template" >"$file"
  done
fi

if wants deb; then
  publish linux-x64
  tree=$work/deb$suffix
  rm -rf "$tree"
  mkdir -p "$tree"/{DEBIAN,usr/{bin,lib/{systemd/system,sysusers.d},share/doc/dti},etc/dti}
  cp -al "$work/published/linux-x64$suffix" "$tree/usr/lib/dti"
  ln -s ../lib/dti/dti "$tree/usr/bin/dti"
  sed 's|^ExecStart=/opt/dti/dti|ExecStart=/usr/lib/dti/dti|' "$root/packaging/systemd/dti.service" >"$tree/usr/lib/systemd/system/dti.service"
  cp "$root/packaging/systemd/sysusers.conf" "$tree/usr/lib/sysusers.d/dti.conf"
  cp "$root/packaging/appsettings.json" "$tree/etc/dti/"
  cp "$root/packaging/systemd/cuda.conf" "$tree/usr/share/doc/dti/"
  cp "$root/LICENSE" "$tree/usr/share/doc/dti/copyright"
  sed "s|@VERSION@|$version|; s|@SIZE@|$(du -sk --apparent-size "$tree/usr" | cut -f 1)|" "$root/packaging/deb/control" >"$tree/DEBIAN/control"
  echo /etc/dti/appsettings.json >"$tree/DEBIAN/conffiles"
  for script in postinst prerm; do
    install -m 755 "$root/packaging/deb/$script" "$tree/DEBIAN/$script"
  done
  dpkg-deb --root-owner-group -Zgzip "-z$level" --build "$tree" "$output/dti_${version}${suffix}_amd64.deb" >/dev/null
fi

if wants tool; then
  for runtime in linux-x64 win-x64; do
    [ "$runtime" = linux-x64 ] || wants windows || continue
    dotnet_here pack src/Dti.Cli -r "$runtime" -p:DtiTool=true -o "$output"
  done
  dotnet_here pack src/Dti.Cli -p:DtiTool=true -p:CreateRidSpecificToolPackages=false -p:NoBuild=true -o "$output" # names those of each system
fi

if wants nuget; then
  for project in Dti.ClientSdk Dti.Engine; do
    dotnet pack "$root/src/$project" -c Release -v q --nologo -o "$output"
  done
fi

if wants python; then
  cp -r "$root/clients/python-shim" "$work/python"
  (cd "$work/python" && "${PYTHON:-/usr/bin/python3}" - "$output" >/dev/null <<'BUILD'
import sys
from setuptools import build_meta
output = sys.argv[1]  # building changes the arguments
build_meta.build_sdist(output)
build_meta.build_wheel(output)
BUILD
  )
  rm -r "$work/python"
fi

(cd "$output" && find . -maxdepth 1 -type f ! -name SHA256SUMS -printf '%f\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
