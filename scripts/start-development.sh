#!/usr/bin/env bash
# Everything of docker/compose.dev.yml: builds, starts, waits until it is well, and says where to look.
set -euo pipefail

build=yes
seconds=300
services=
while [[ $# -gt 0 ]]; do
  case $1 in
    --help)
      cat <<'HELP'
usage: scripts/start-development.sh [--no-build] [--servers] [--timeout SECONDS]

  --no-build   use the image that is there
  --servers    only PostgreSQL, ClickHouse, Redis, Kafka and the mail catcher, for programs started by hand
  --timeout    seconds to wait until all is well, 300 by default

Settings come from .env.local; without it JTS trades with the simulator. To stop: scripts/compose.sh down
HELP
      exit 0
      ;;
    --no-build) build=no ;;
    --servers) services='postgres clickhouse redis kafka mailpit' ;;
    --timeout)
      seconds=${2:?--timeout needs seconds}
      shift
      ;;
    *)
      echo "unknown option $1, see --help" >&2
      exit 2
      ;;
  esac
  shift
done

fail() {
  echo "start-development: $1" >&2
  exit 1
}
command -v docker >/dev/null || fail 'docker is not installed: https://docs.docker.com/get-docker/'
docker info >/dev/null 2>&1 || fail 'the Docker daemon does not answer: is it started, and may you use it?'
docker compose version >/dev/null 2>&1 || fail 'docker has no compose plugin, version 2.24 or newer is needed'

scripts=$(dirname "${BASH_SOURCE[0]}")
root=$scripts/..
if [[ -f $root/.env.local ]]; then
  echo 'settings: .env.local'
else
  echo 'settings: none of your own (.env.local), so the broker is the simulator'
fi
"$scripts/compose.sh" config --quiet || fail 'the settings do not go together, see above'

if [[ $build == yes && -z $services ]]; then
  # All programs share one image.
  "$scripts/compose.sh" build initialize
fi
# A market and the connectors of a broker never run side by side: what the other choice left behind ends first.
wanted=$("$scripts/compose.sh" config --services)
for service in market kis-stream scheduler; do
  if ! grep -qx "$service" <<<"$wanted"; then
    docker rm --force "jts-$service-dev" >/dev/null 2>&1 || true
  fi
done

# shellcheck disable=SC2086 # a list of words
{
  "$scripts/compose.sh" up --detach $services
  "$scripts/wait-for-services.sh" --timeout "$seconds" $services
}

cat <<'WHERE'

  messages    http://localhost:8025
  functions   http://localhost:3001 … 3008, connectors from 3010: /health, /ready, /metrics
  debuggers   127.0.0.1:9301 … 9312
  PostgreSQL  localhost:5442   ClickHouse localhost:8123   Redis localhost:6379   Kafka localhost:9092

  scripts/check-system-health.sh      how everything is
  scripts/compose.sh logs -f          what everything says
  scripts/compose.sh down             stops, keeps the data
WHERE
