#!/usr/bin/env bash
# How every service of docker/compose.dev.yml is: its container, and for programs of JTS whether they are ready and why not.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
  cat <<'HELP'
usage: scripts/check-system-health.sh

Prints a line for each service: state of the container, and what a program answers to /ready. Code 0: all is well.
HELP
  exit 0
elif [[ $# -gt 0 ]]; then
  echo "unknown option $1, see --help" >&2
  exit 2
fi

compose=$(dirname "${BASH_SOURCE[0]}")/compose.sh
faults=0

# What a program of JTS says of itself. Nothing for a server, which has no /ready.
readiness() {
  # shellcheck disable=SC2016 # PORT is the one in the container
  "$compose" exec -T "$1" sh -c '[ -z "${FUNCTION:-}" ] || curl -sS --max-time 3 "http://127.0.0.1:$PORT/ready"' </dev/null 2>&1 || true
}

while IFS='|' read -r service state health code; do
  verdict=ok
  note=
  case "$service|$state|$health" in
    *'|running|healthy')
      note=$(readiness "$service")
      [[ -z $note || $note == *'"ready":true'* ]] || verdict='NOT READY'
      ;;
    'initialize|exited|') [[ $code == 0 ]] || verdict=FAILED note="ended with code $code" ;;
    *) verdict='NOT WELL' note="$state${health:+, $health}" ;;
  esac
  [[ $verdict == ok ]] || faults=$((faults + 1))
  [[ $verdict == ok ]] && note=
  printf '%-20s %-10s %s\n' "$service" "$verdict" "$note"
done < <("$compose" ps --all --format '{{.Service}}|{{.State}}|{{.Health}}|{{.ExitCode}}' | sort)

# Services that have no container at all.
missing=$(comm -23 <("$compose" config --services | sort) <("$compose" ps --all --format '{{.Service}}' | sort))
for service in $missing; do
  printf '%-20s %-10s\n' "$service" 'NOT STARTED'
  faults=$((faults + 1))
done

if ((faults > 0)); then
  echo "$faults not well" >&2
  exit 1
fi
