# For build.sh and test.sh: finds Zig, in .venv of this folder, as a package of python3, or on the PATH.
if .venv/bin/python -m ziglang version > /dev/null 2>&1; then
  ZIG=".venv/bin/python -m ziglang"
elif python3 -m ziglang version > /dev/null 2>&1; then
  ZIG="python3 -m ziglang"
elif command -v zig > /dev/null; then
  ZIG=zig
else
  echo "Zig is missing: python3 -m venv .venv && .venv/bin/pip install ziglang==0.15.2 (Debian: apt-get install python3-venv)" >&2
  exit 1
fi
case "$($ZIG version)" in
  0.15.*) ;;
  *)
    echo "warning: written for Zig 0.15, found $($ZIG version): python3 -m venv .venv && .venv/bin/pip install ziglang==0.15.2" >&2
    ;;
esac
