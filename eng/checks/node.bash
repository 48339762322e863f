# Sourced by the checks that use buf or Node packages: installs the pinned versions once, and sets $buf and $node_modules.
checks="$root/eng/checks"
node_modules="$root/artifacts/node/node_modules"
buf="$node_modules/.bin/buf"
if ! cmp -s "$checks/package.json" "$node_modules/../installed.json"; then
  mkdir -p "$root/artifacts/node"
  cp "$checks/package.json" "$root/artifacts/node/"
  (cd "$root/artifacts/node" && npm install --no-audit --no-fund --no-package-lock --silent && cp package.json installed.json)
fi
