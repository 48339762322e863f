#!/usr/bin/env bash
# needs: node
# The contract keeps buf's STANDARD rules. Settings stand on one line each, which buf's format would spread over many.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/eng/checks/node.bash"
cd "$root"
"$buf" lint
"$buf" format --diff --exit-code --exclude-path protos/google \
  --exclude-path protos/dti/v1/training.proto --exclude-path protos/dti/v1/generation.proto
