#!/usr/bin/env bash
# needs: node python
# Every workflow that ships with the ComfyUI nodes, and those that earlier versions of them left in saved files, load in ComfyUI's graph
# library as they were saved: each value in its widget.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/eng/checks/node.bash"
described=$(mktemp)
trap 'rm -f "$described"' EXIT
pack="$root/clients/python-shim"

"${PYTHON:-/usr/bin/python3}" "$pack/tests/object_info.py" >"$described"
node "$pack/tests/litegraph.mjs" "$node_modules/@comfyorg/litegraph/dist/litegraph.es.js" "$described" "$pack"/example_workflows/*.json "$pack"/tests/saved_workflows/*.json
