# For build.sh and test.sh: finds componentize-py in the version of requirements.txt, in .venv or on the PATH, or installs
# it into .venv of this folder and nowhere else.
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Python 3.11 or later is missing: install it from https://www.python.org (Debian: apt-get install python3 python3-venv)" >&2
  exit 1
fi

wanted=$(sed -n 's/^componentize-py==/componentize-py /p' requirements.txt)
for componentize_py in .venv/bin/componentize-py componentize-py none; do
  if [ "$("$componentize_py" --version 2>/dev/null)" = "$wanted" ]; then break; fi
done
if [ "$componentize_py" = none ]; then
  python3 -m venv .venv || {
    echo "venv is missing (Debian: apt-get install python3-venv)" >&2
    exit 1
  }
  .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
  componentize_py=.venv/bin/componentize-py
fi
