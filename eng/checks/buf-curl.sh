#!/usr/bin/env bash
# needs: node
# A generic client with no generated code and no proto files: buf curl over reflection, for each of the three calls.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/eng/checks/node.bash"
. "$root/eng/checks/serve.bash"

call() { # call METHOD, with the request on standard input
  timeout 120 "$buf" curl --protocol grpc --http2-prior-knowledge --reflect-protocol "$reflection" --data @- "$address/$1"
}

options='"resolution": 64, "steps": 2, "batchSize": 1, "previewEvery": 0, "seed": 1'
draw='"width": 64, "height": 64, "steps": 2, "seed": 1'
photo() { printf '{"fileName": "%s", "data": "%s"}' "$1" "$(base64 -w0 "$root/samples/clay-cat/$1")"; }
photos="$(photo 1.jpg), $(photo 3.png)"
for reflection in grpc-v1 grpc-v1alpha; do
  for concept in "cat-$reflection" "pot-$reflection"; do
    printf '{"name": "%s", "photos": [%s], "options": {%s, "initializer": "cat"}}' "$concept" "$photos" "$options" | call dti.v1.DtiService/Train >"$work/train.json"
    grep -q '"result"' "$work/train.json"
  done
  printf '{"options": {"prompt": "a photo of <cat-%s>", %s}}' "$reflection" "$draw" | call dti.v1.DtiService/Generate >"$work/generate.json"
  grep -q '"picture"' "$work/generate.json"
  printf '{"fromConcept": "cat-%s", "toConcept": "pot-%s", "frames": 3, "options": {%s}}' "$reflection" "$reflection" "$draw" | call dti.v1.DtiService/Interpolate >"$work/interpolate.json"
  [ "$(grep -c '"picture"' "$work/interpolate.json")" = 3 ]
done
echo '{"service": ""}' | call grpc.health.v1.Health/Check | grep -q SERVING
