#!/usr/bin/env bash
# The production image of every program, or of those named.
set -euo pipefail

usage() {
  cat <<'HELP'
usage: scripts/build-production.sh [--prefix PREFIX] [--tag TAG] [--platform LIST] [--push] [PROGRAM…]

  --prefix     stands before the names: registry.example.com/jts gives registry.example.com/jts/risk-check. Default: jts
  --tag        default: the version in package.json
  --platform   linux/amd64,linux/arm64 builds for both. Needs buildx, and --push, since one machine holds images of one kind
  --push       push to the registry that the prefix names

Without names: all of `node scripts/build.ts --list`.
HELP
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
prefix=jts
tag=$(node -p 'require("./package.json").version')
build=(docker build)
push=no
programs=
while [[ $# -gt 0 ]]; do
  case $1 in
    --help)
      usage
      exit 0
      ;;
    --prefix)
      prefix=${2:?--prefix needs a value}
      shift
      ;;
    --tag)
      tag=${2:?--tag needs a value}
      shift
      ;;
    --platform)
      build=(docker buildx build --push --platform "${2:?--platform needs a list}")
      shift
      ;;
    --push) push=yes ;;
    -*)
      usage >&2
      exit 2
      ;;
    *) programs="$programs $1" ;;
  esac
  shift
done
if [[ ${build[1]} == buildx && $push == no ]]; then
  echo 'build-production: --platform needs --push' >&2
  exit 2
fi
for program in ${programs:-$(node scripts/build.ts --list)}; do
  image=$prefix/$program:$tag
  echo "── $image"
  "${build[@]}" --file docker/Dockerfile --target production \
    --build-arg "FUNCTION=$program" \
    --build-arg "VERSION=$tag" \
    --build-arg "VCS_REF=$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    --build-arg "BUILD_DATE=$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    --tag "$image" .
  if [[ $push == yes && ${build[1]} == build ]]; then
    docker push "$image"
  fi
done
