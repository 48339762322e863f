# Sourced by the checks that use buf or Node packages: installs the pinned versions once, and sets $buf and $node_modules.
# Two checks may run at the same time: the second waits until the first has installed them.
checks="$root/eng/checks"
mkdir -p "$root/artifacts/node"
exec 8>"$root/artifacts/node.lock"
! command -v flock >/dev/null || flock 8
node_modules="$root/artifacts/node/node_modules"
buf="$node_modules/.bin/buf"
if ! cmp -s "$checks/package.json" "$node_modules/../installed.json"; then
  cp "$checks/package.json" "$root/artifacts/node/"
  (cd "$root/artifacts/node" && npm install --no-audit --no-fund --no-package-lock --silent && cp package.json installed.json)
fi
exec 8>&-
