#!/usr/bin/env bash
# Deploys an overlay: first the migration, to its end, then the fleet. If the migration fails, the fleet that runs goes on unchanged.
#
#   ops/kubernetes/deploy.sh OVERLAY [kubectl's own flags, such as --context]
#
# MIGRATE_TIMEOUT_SECONDS (1800) and ROLLOUT_TIMEOUT (10m) bound the two waits.
set -euo pipefail

overlay=${1:?the folder of an overlay, such as ops/kubernetes/example}
shift
kubectl=(kubectl "$@")

manifests=$(mktemp)
trap 'rm -f "$manifests"' EXIT
kubectl kustomize "$overlay" >"$manifests"
namespace=$(sed -n 's/^  namespace: //p' "$manifests" | sort -u)
[[ $(wc -w <<<"$namespace") == 1 ]] || { echo "the overlay must name one namespace" >&2; exit 2; }
kubectl+=(--namespace "$namespace")

# A Job cannot be changed, only made anew.
"${kubectl[@]}" delete job sluice-migrate --ignore-not-found --wait
"${kubectl[@]}" apply --filename "$manifests" --selector 'app.kubernetes.io/component in (settings, migrate)'

# `kubectl wait` waits for one condition, and a Job that fails would have it wait until its time is up.
deadline=$((SECONDS + ${MIGRATE_TIMEOUT_SECONDS:-1800}))
until [[ $("${kubectl[@]}" get job sluice-migrate --output 'jsonpath={.status.conditions[?(@.type=="Complete")].status}') == True ]]; do
  failed=$("${kubectl[@]}" get job sluice-migrate --output 'jsonpath={.status.conditions[?(@.type=="Failed")].status}')
  if [[ $failed == True ]] || ((SECONDS > deadline)); then
    "${kubectl[@]}" logs job/sluice-migrate --tail 50 >&2 || true
    echo 'the migration did not end well; the fleet is as it was' >&2
    exit 1
  fi
  sleep 2
done

"${kubectl[@]}" apply --filename "$manifests"
for deployment in $("${kubectl[@]}" get deployment --selector app.kubernetes.io/name=sluice --output name); do
  "${kubectl[@]}" rollout status "$deployment" --timeout "${ROLLOUT_TIMEOUT:-10m}"
done
