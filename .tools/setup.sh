#!/bin/sh
# Finds a Python that can run the portal and lets it set up the rest; without work to do it takes no time.
set -eu
cd "$(dirname "$0")/.."

# A name on the PATH may be a wrapper for a version that is not there, so each one is asked.
found=
for name in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        found=$name
        break
    fi
done
if [ -z "$found" ]; then
    echo "Python 3.11 or later is needed. Install it, or name it: make PYTHON=/path/to/python3" >&2
    exit 1
fi
exec "$found" .tools/setup.py "$@"
