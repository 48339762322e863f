#!/usr/bin/env bash
# needs: node
# The contract keeps buf's STANDARD rules.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/eng/checks/node.bash"
cd "$root"
"$buf" lint
"$buf" format --diff --exit-code --exclude-path protos/google
