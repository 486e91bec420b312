#!/usr/bin/env bash
# docker compose for docker/compose.dev.yml, with the settings of this machine.
#
# .env.local gives the values that compose.dev.yml asks for (DEV_PASSWORD, LOG_LEVEL, …). If it names a broker (KIS_…), it
# takes the place of docker/simulated.env altogether, so that limits for play money never stand before real money; if it
# does not, it is read on top.
set -euo pipefail

if [[ ${1:-} == --help || $# -eq 0 ]]; then
  cat <<'HELP'
usage: scripts/compose.sh COMMAND…

Runs `docker compose COMMAND…` for docker/compose.dev.yml with the settings of .env.local:

  scripts/compose.sh ps
  scripts/compose.sh logs -f risk-check
  scripts/compose.sh restart risk-check
  scripts/compose.sh down            stops everything and keeps the data; with -v it is deleted
HELP
  exit $(($# == 0 ? 2 : 0))
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
settings=$root/.env.local
options=()
export COMPOSE_PROFILES=simulated
if [[ -f $settings ]]; then
  options=(--env-file "$settings")
  if grep -Eq '^[[:space:]]*(export[[:space:]]+)?(JTS_)?KIS_[A-Z0-9_]*=' "$settings"; then
    export COMPOSE_PROFILES=broker JTS_BROKER_ENV=$settings
  else
    export JTS_MORE_ENV=$settings
  fi
fi
# Written so that an empty list is none for the bash of macOS too.
exec docker compose ${options[@]+"${options[@]}"} --file "$root/docker/compose.dev.yml" "$@"
