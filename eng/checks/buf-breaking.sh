#!/usr/bin/env bash
# needs: node
# The contract only grows: nothing that the last release's clients rely on has changed. `buf-breaking.sh --release` makes today's
# contract the one to compare with; that belongs to a release, and to nothing else.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/eng/checks/node.bash"
cd "$root"
released=eng/checks/released.binpb

if [ "${1:-}" = --release ]; then
  exec "$buf" build --exclude-source-info -o "$released"
fi
"$buf" breaking --against "$released"

# The check can fail: a field with another number is refused.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r protos buf.yaml "$work"
sed -i 's/string placeholder = 2;/string placeholder = 102;/' "$work/protos/dti/v1/concept_service.proto"
! "$buf" breaking "$work" --against "$released" >/dev/null || { echo "A changed field number was let through"; exit 1; }
