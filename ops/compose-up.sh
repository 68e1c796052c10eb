#!/usr/bin/env bash
# Starts the fleet of docker-compose.yml, or upgrades it: build, migrate, up. The old containers run until the migration has
# ended, which plain `docker compose up --build` does not do: it stops them first. If the migration fails, they keep running.
#
#   ops/compose-up.sh [OPTIONS OF docker compose up]
set -euo pipefail
cd "$(dirname "$0")/.."

# A setting of .env counts only if docker-compose.yml passes it on.
while read -r name; do
  grep -qE "^ +$name:$|\\$\{$name[:}?-]" docker-compose.yml ||
    echo "compose-up: $name is set in .env, but docker-compose.yml does not pass it on" >&2
done < <([ ! -e .env ] || sed -n 's/^\([A-Z][A-Z0-9_]*\)=..*/\1/p' .env)

docker compose build
docker compose run --rm -T migrate ||
  { echo 'compose-up: the migration failed; the containers that were running still run, on the previous version' >&2; exit 1; }
docker compose up --detach "$@"
