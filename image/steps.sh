#!/bin/sh
# Makes the installer's part of the image in a directory: image/steps.sh ROOT. The Dockerfile runs this, and so may you.
#
#   PYTHON    the interpreter that will run it (python3)
#   PACKAGES  a directory of installed packages to take whole; without it those of requirements.lock are installed
#   HELM      a helm 4 to take; without it helm is built from the pinned Go modules of the rehearsal
#   CHARTS    a directory of charts to take whole; without it the wrappers' upstream charts are fetched with that helm
#   MIRROR    a chart repository that has them all, for a site that reaches no other; without it each comes from its own
set -eu
root=${1:?image/steps.sh ROOT}
source=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/app/bin"
app=$(cd "$root/app" && pwd)
python=${PYTHON:-python3}

if [ -n "${PACKAGES:-}" ]; then
  cp -R "$PACKAGES" "$app/packages"
else
  "$python" -m pip install --quiet --no-cache-dir --no-compile --no-deps --disable-pip-version-check \
    --root-user-action=ignore --only-binary=:all: --no-binary=pytest-dependency \
    --target="$app/packages" --requirement="$source/requirements.lock"
  "$python" -m compileall -q --invalidation-mode unchecked-hash "$app/packages"
fi

(cd "$source" && tar --create --exclude=__pycache__ --exclude=fixtures/tests --exclude=fixtures/rehearsal/tools \
  --exclude=fixtures/rehearsal/stand_ins conftest.py pyproject.toml docs/troubleshooting.md \
  fixtures install manifests migrations) |
  tar --extract --no-same-owner --directory="$app"
cp "$source/image/entrypoint.sh" "$app/bin/entrypoint"
# Nothing writes to the image later: modules are compiled now, and trusted by content and not by time.
"$python" -m compileall -q --invalidation-mode unchecked-hash "$app/fixtures"

if [ -n "${HELM:-}" ]; then
  cp "$HELM" "$app/bin/helm"
else
  (cd "$source/fixtures/rehearsal/tools" &&
    CGO_ENABLED=0 go build -trimpath -ldflags=-s -o "$app/bin/helm" helm.sh/helm/v4/cmd/helm)
fi

if [ -n "${CHARTS:-}" ]; then
  cp -R "$CHARTS" "$app/charts"
else
  for chart in "$app"/manifests/charts/operators/*/ "$app"/manifests/charts/newest/operators/*/; do
    if [ -n "${MIRROR:-}" ]; then
      cp "$chart/Chart.yaml" "$root/Chart.yaml"
      sed -i "s|^\( *repository: \).*|\1$MIRROR|" "$chart/Chart.yaml"
    fi
    "$app/bin/helm" dependency build "$chart"
    if [ -n "${MIRROR:-}" ]; then mv "$root/Chart.yaml" "$chart/Chart.yaml"; fi
  done
fi

chmod -R a+rX,go-w "$app"
chmod 0755 "$app/bin/helm" "$app/bin/entrypoint"
