#!/bin/sh
# The installer as PID 1: pytest handles SIGTERM by itself. Whatever follows the image's name in a command goes to pytest.
set -eu
trap 'exit 2' TERM INT HUP  # until Python handles them
cd /app
set -- -m fixtures.session.early install/ -o cache_dir=/tmp/pytest-cache --reports="${REPORTS_DIR:-/reports}" "$@"
[ -z "${CLUSTER_NAME:-}" ] || set -- "$@" --cluster="$CLUSTER_NAME"
exec python3 "$@"
