#!/bin/sh
# The installer as PID 1: pytest handles SIGTERM by itself. Whatever follows the image's name in a command goes to pytest.
set -eu
cd /app
set -- -m pytest install/ -o cache_dir=/tmp/pytest-cache --reports="${REPORTS_DIR:-/reports}" "$@"
[ -z "${CLUSTER_NAME:-}" ] || set -- "$@" --cluster="$CLUSTER_NAME"
exec python3 "$@"
