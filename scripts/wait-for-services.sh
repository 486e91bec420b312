#!/usr/bin/env bash
# Waits until every service of docker/compose.dev.yml is well: running and healthy, or ended with success where it runs once.
set -euo pipefail

seconds=300
services=
while [[ $# -gt 0 ]]; do
  case $1 in
    --help)
      cat <<'HELP'
usage: scripts/wait-for-services.sh [--timeout SECONDS] [SERVICE…]

Waits for the services, or for all of docker/compose.dev.yml. Code 0: all are well. Code 1: one has failed, or time is up
(default 300 seconds); what is missing is named.
HELP
      exit 0
      ;;
    --timeout)
      seconds=${2:?--timeout needs seconds}
      shift
      ;;
    -*)
      echo "unknown option $1, see --help" >&2
      exit 2
      ;;
    *) services="$services $1" ;;
  esac
  shift
done
if [[ ! $seconds =~ ^[0-9]+$ ]]; then
  echo "--timeout takes whole seconds, not $seconds" >&2
  exit 2
fi

compose=$(dirname "${BASH_SOURCE[0]}")/compose.sh
if [[ -z $services ]]; then
  services=$("$compose" config --services | sort)
fi

# One line for each service that is not well yet.
unwell() {
  local containers service state health code
  containers=$("$compose" ps --all --format '{{.Service}}|{{.State}}|{{.Health}}|{{.ExitCode}}')
  for service in $services; do
    IFS='|' read -r _ state health code <<<"$(grep "^$service|" <<<"$containers" || true)"
    case "$service|$state|$health" in
      *'|running|healthy' | 'initialize|exited|')
        [[ $code == 0 ]] || echo "$service ended with code $code"
        ;;
      *'||') echo "$service is not started" ;;
      *) echo "$service is $state${health:+, $health}" ;;
    esac
  done
}

while missing=$(unwell) && [[ -n $missing ]]; do
  if ((SECONDS >= seconds)) || grep -q 'ended with code' <<<"$missing"; then
    echo "not well after $SECONDS seconds:" >&2
    echo "$missing" >&2
    echo "scripts/compose.sh logs SERVICE says more" >&2
    exit 1
  fi
  sleep 2
done
# shellcheck disable=SC2086 # one line of them
echo all is well: $services
