# Sourced by the checks that call a server: starts one with the tests' tiny model; sets $work, $address and $web; stops it at the end.
# $program and $work may be set before.
work=${work:-$(mktemp -d)}
with_parent=() # the kernel ends the server together with this shell, even if that is killed
! [ -x /usr/bin/setpriv ] || with_parent=(/usr/bin/setpriv --pdeathsig KILL --)
"${with_parent[@]}" "${program:-$root/artifacts/published/Release/dti}" serve --port 0 --web-port 0 --models "$root/tests/fixtures/tiny-sd15" --data "$work/library" --json \
  >"$work/serve.json" 2>"$work/serve.err" </dev/null &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 300); do
  ! grep -q '"listening"' "$work/serve.json" || break
  sleep 0.2
done
{ read -r address; read -r web; } < <(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$work/serve.json") ||
  { echo "the server did not start"; cat "$work/serve.err"; exit 1; }
