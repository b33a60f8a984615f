# For build.sh and test.sh: installs what package-lock.json pins into node_modules of this folder, checks the types, and
# makes one file of the plugin's.
if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 6) ? 0 : 1)' 2>/dev/null || ! command -v npm >/dev/null; then
  echo "Node.js 20.6 or later with npm is missing: install it from https://nodejs.org (Debian 13: apt-get install nodejs npm)" >&2
  exit 1
fi
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci
  cp package-lock.json node_modules/.installed
fi

node_modules/.bin/tsc
node_modules/.bin/esbuild plugin.ts --bundle --format=esm --target=es2023 '--external:tidegate:*' --outfile=build/plugin.js --log-level=warning
