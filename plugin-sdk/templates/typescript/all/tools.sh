# For build.sh and test.sh: installs what package-lock.json pins into node_modules of this folder, checks the types, and
# makes one file of the plugin's.
if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 18 || (major == 18 && minor >= 19) ? 0 : 1)' 2>/dev/null || ! command -v npm >/dev/null; then
  echo "Node.js 18.19 or later with npm is missing: install it from https://nodejs.org (Debian 12 or later: apt-get install nodejs npm)" >&2
  exit 1
fi
if ! cmp -s package-lock.json node_modules/.installed; then
  if [ -L node_modules ]; then
    echo "node_modules is a link, and npm ci would empty what it leads to: remove the link, and build again" >&2
    exit 1
  fi
  npm ci --no-audit --no-fund
  cp package-lock.json node_modules/.installed
fi

node_modules/.bin/tsc
node_modules/.bin/esbuild plugin.ts --bundle --format=esm --target=es2023 '--external:tidegate:*' --outfile=build/plugin.js --log-level=warning
