# Sourced by the checks that use buf: installs the pinned version once, and sets $buf.
checks="$root/eng/checks"
buf="$root/artifacts/node/node_modules/.bin/buf"
if [ ! -x "$buf" ]; then
  mkdir -p "$root/artifacts/node"
  cp "$checks/package.json" "$root/artifacts/node/"
  (cd "$root/artifacts/node" && npm install --no-audit --no-fund --no-package-lock --silent)
fi
