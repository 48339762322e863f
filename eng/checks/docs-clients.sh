#!/usr/bin/env bash
# needs: node curl python protoc
# Every example of docs/clients.md works: its files and commands are taken from the document and run against a real server.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/eng/checks/node.bash"
. "$root/eng/checks/serve.bash"

# A block of bash is run; one of another language begins with a comment that names its file; blocks of text are only shown.
mkdir "$work/run"
cd "$work/run"
awk '
  /^```/ { open = !open; language = substr($0, 4); file = language == "bash" ? "run.sh" : ""; next }
  !open || language == "text" { next }
  file == "" { file = $2 }
  { print > file }
' "$root/docs/clients.md"
sed -i "s#http://127.0.0.1:5171#$address#; s#127.0.0.1:5171#${address#http://}#; s#http://127.0.0.1:5172#$web#" ./*
ln -s "$node_modules" "$root/protos" .
cp -r "$root/samples/clay-cat" photos

programs=$node_modules/.bin:$root/artifacts/bin/Release/samples/Dti.ConsoleSample
if ! PATH="$(dirname "${PYTHON:-/usr/bin/python3}"):$PATH:$programs" timeout 600 bash -euxo pipefail run.sh >"$work/output" 2>&1; then
  tail -n 30 "$work/output" | cut -c1-400 # what failed, and not the transcripts of the examples before it
  exit 1
fi
status=0
"$root/artifacts/bin/Release/samples/Dti.ConsoleSample/Dti.ConsoleSample" "$address" csharp-cat photos/1.jpg -- 1 >"$work/again" 2>&1 || status=$?
[ $status = 1 ] && grep -q "csharp-cat" "$work/again" || { echo "The C# sample replaced a concept, or did not name it ($status):"; cat "$work/again"; exit 1; }
for picture in buf curl browser node python csharp-cat; do
  head -c 8 "$picture.png" | cmp -s - <(printf '\x89PNG\r\n\x1a\n') || { echo "$picture.png is no PNG file"; tail -n 30 "$work/output" | cut -c1-400; exit 1; }
done
