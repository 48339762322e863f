#!/usr/bin/env bash
# needs: node
# The committed page of Dti Studio (clients/studio/dist) is what its source and the contract give. `--write` puts it there.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
source=$root/clients/studio
build=$root/artifacts/studio # not in the source: a development server may use its packages
mkdir -p "$build"
exec 8>"$build.lock"
! command -v flock >/dev/null || flock 8
cd "$build"
find . -mindepth 1 -maxdepth 1 ! -name node_modules ! -name installed.json -exec rm -rf {} +
(cd "$source" && tar -c --exclude=./node_modules --exclude=./dist --exclude=./src/gen .) | tar -x
if ! cmp -s package-lock.json installed.json; then
  npm ci --no-audit --no-fund --silent
  cp package-lock.json installed.json
fi
npm run --silent build >build.log 2>&1 || { cat build.log; exit 1; }
if [ "${1:-}" = --write ]; then
  rm -rf "$source/dist"
  cp -r dist "$source/dist"
fi
if ! diff -rq dist "$source/dist"; then
  echo "clients/studio/dist is not what its source gives. Build it with eng/checks/studio-page.sh --write, and commit it."
  exit 1
fi
