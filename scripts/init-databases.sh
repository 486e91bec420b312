#!/usr/bin/env bash
# Tables, topics, and what a development database needs to begin with. Adds what is missing; run it as often as you like.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
  cat <<'HELP'
usage: scripts/init-databases.sh

Starts the servers of docker/compose.dev.yml if they are not there, waits for them, and brings them up to date: migrations
of PostgreSQL and ClickHouse, topics of Kafka, then accounts, instruments and strategies of the demonstration.

For servers elsewhere: npm run migrate && npm run topics -- apply
HELP
  exit 0
elif [[ $# -gt 0 ]]; then
  echo "unknown option $1, see --help" >&2
  exit 2
fi

exec "$(dirname "${BASH_SOURCE[0]}")/compose.sh" run --rm initialize
