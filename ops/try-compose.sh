#!/usr/bin/env bash
# Runs Dockerfile and docker-compose.yml on this machine's Docker Engine, in a project of its own that it removes again:
# start, records, a killed worker, a stop, a failed upgrade and an upgrade. Nothing of a running fleet is touched.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
export COMPOSE_PROJECT_NAME="sluice-try-$$" COMPOSE_ENV_FILES="$scratch/env" COMPOSE_ANSI=never
# Free ports and an image of its own, so that it runs beside a fleet.
export SLUICE_POSTGRES_PORT=0 SLUICE_REDIS_PORT=0 SLUICE_CONSOLE_PORT=0 SLUICE_WORKERS=2 SLUICE_IMAGE="sluice-try-$$"
(umask 077; for name in POSTGRES_PASSWORD REDIS_PASSWORD SLUICE_METRICS_TOKEN SLUICE_CONSOLE_READ_TOKEN SLUICE_CONSOLE_OPERATOR_TOKEN; do
  echo "$name=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')"
done > "$scratch/env")
clean_up() {
  docker compose down --volumes --timeout 30 > /dev/null 2>&1 || true
  docker image rm --force "$SLUICE_IMAGE" > /dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap clean_up EXIT

passed=0 failed=0
check() { # LABEL COMMAND…
  local label=$1; shift
  if "$@"; then passed=$((passed + 1)); echo "ok    $label"; else failed=$((failed + 1)); echo "FAIL  $label"; fi
}
is() { [ "$1" = "$2" ] || { printf '      got %s, not %s\n' "$1" "$2"; return 1; }; }
soon() { local end=$((SECONDS + 120)); until "$@" > /dev/null 2>&1; do [ $SECONDS -lt $end ] || { "$@"; return 1; }; sleep 1; done; }
fails() { ! "$@" > /dev/null 2>&1; }
quietly() { "$@" > "$scratch/log" 2>&1 || { tail -20 "$scratch/log"; return 1; }; }

healthy() { is "$(docker compose ps --format '{{.Health}}' | sort | uniq -c | tr -s ' ')" " 7 healthy"; }
ids() { docker compose ps --quiet | sort; }
rows() { is "$(docker compose exec -T postgres psql -U sluice -At -c "select count(*) from strategy_execution_log where strategy_id = '$1'")" "$2"; }
status_of() { # SERVICE URL [TOKEN VARIABLE]
  docker compose exec -T "$1" node -e 'fetch(process.argv[1], { headers: process.argv[2] ? { authorization: `Bearer ${process.env[process.argv[2]]}` } : {} }).then(({ status }) => console.log(status))' "$2" "${3:-}"
}
restarted() { [ "$(docker inspect --format '{{.RestartCount}}' "$1")" -gt 0 ]; }

send() { # STRATEGY COUNT: as a service would, with the SDK, on the fleet's network
  docker compose run --rm -T --no-deps --env DSL_EXECUTION_LOG_SAMPLE_RATE=1 --entrypoint node worker --input-type=module -e '
    import { createExecutionObserver, executionObserverOptionsFrom } from "/app/producers/index.ts";
    const [, strategyId, count] = process.argv;
    const observer = createExecutionObserver(executionObserverOptionsFrom(process.env));
    const run = { strategyId, strategyVersion: 1, strategyType: "DSL_FULL", realmId: "r", status: "ok", durationMs: 1, nodesExecuted: 1, points: 1, input: { text: "x".repeat(2_000) } };
    for (let sent = 1; sent <= Number(count); sent += 1) {
      observer.record(run);
      if (sent % 500 === 0) await new Promise((done) => setTimeout(done, 60));
    }
    const { unflushed } = await observer.close({ timeoutMs: 30_000 });
    process.exit(unflushed > 0 ? 1 : 0);' "$1" "$2"
}

check 'without passwords it refuses to start' env COMPOSE_ENV_FILES=/dev/null bash -c '! docker compose config --quiet 2> /dev/null'
check 'build, migrate, up' quietly ops/compose-up.sh
check 'postgres, redis, two workers, maintenance, health-events and console are healthy' soon healthy
check 'one image is built for all of them' is "$(docker compose config --images | sort -u | grep -cvE '^(postgres|redis):')" 1
for service in worker maintenance health-events console postgres redis; do
  check "$service: not root" is "$(docker compose exec -T "$service" sh -c '[ "$(id -u)" -gt 0 ] && echo user')" user
  check "$service: its root file system is read-only" fails docker compose exec -T "$service" touch /probe
  check "$service: no capability is left" is "$(docker compose exec -T "$service" awk '/CapEff/ { print $2 }' /proc/self/status)" 0000000000000000
  for container in $(docker compose ps --quiet "$service"); do
    check "$service: its ports are for this machine" is "$(docker port "$container" | grep -v '127.0.0.1' || true)" ''
    check "$service: its log is bounded" is "$(docker inspect --format '{{index .HostConfig.LogConfig.Config "max-size"}}' "$container")" 10m
  done
done
check 'Redis keeps jobs: append-only file, no eviction' is "$(docker compose exec -T redis sh -c 'redis-cli config get appendonly; redis-cli config get maxmemory-policy' | tr '\n' ' ')" 'appendonly yes maxmemory-policy noeviction '
check '/metrics wants its token' is "$(status_of worker http://127.0.0.1:9465/metrics)" 401
check '/metrics with its token' is "$(status_of worker http://127.0.0.1:9465/metrics SLUICE_METRICS_TOKEN)" 200
check 'the page' is "$(status_of console http://127.0.0.1:9464/)" 200
check 'the API wants a token' is "$(status_of console http://127.0.0.1:9464/api/v1/queues)" 401
check 'the API with its token' is "$(status_of console http://127.0.0.1:9464/api/v1/queues SLUICE_CONSOLE_READ_TOKEN)" 200
check 'sluice doctor finds nothing' quietly docker compose exec -T worker node cli/main.ts doctor

check 'executions are sent' quietly send plain 10000
check 'and stored' soon rows plain 10000
quietly send killed 20000 & sender=$!
sleep 3
first=$(docker compose ps --format '{{.Name}}' worker | sort | sed -n 1p)
# PID 1 is the init process; its child is the worker.
docker exec "$first" sh -c 'kill -9 $(cat /proc/1/task/1/children)' || true # ends with its container
check 'a killed worker comes back' soon restarted "$first"
check 'its sender is not disturbed' wait "$sender"
check 'nothing is lost by the kill' soon rows killed 20000

before=$(ids)
check 'a migration that fails ends the upgrade' fails env SLUICE_MIGRATE_DATABASE_URL=postgresql://nobody:x@postgres/sluice ops/compose-up.sh
check 'and the old containers run on' is "$(ids)" "$before"
check 'an upgrade' quietly env SLUICE_LOG_LEVEL=debug ops/compose-up.sh
check 'which starts new containers' fails is "$(ids)" "$before"
check 'all are healthy again' soon healthy
quietly docker compose stop
check 'all end with 0 when they are stopped' is "$(docker compose ps --all --format '{{.ExitCode}}' | sort -u)" 0
quietly docker compose start
check 'the rows are still there' soon rows plain 10000

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
