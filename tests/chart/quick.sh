# shellcheck shell=bash
# What can be said of the chart without a server. Sourced by tests/chart/run.
# shellcheck disable=SC2154  # here, root, chart, scratch and program come from it

# The chart with files of ours: a snapshot must not change when an alert or a dashboard does.
steady_chart() {
  rm -rf "$scratch/skald"
  cp -r "$chart" "$scratch/skald"
  rm -rf "$scratch/skald/files"
  cp -r "$here/files" "$scratch/skald/files"
}

render() {  # render CHART VALUES [ARGUMENT...]
  local from=$1 values=$2
  shift 2
  helm template shop "$from" --namespace shop --kube-version 1.31.0 --values "$values" "$@"
}

write_snapshots() {
  local values
  steady_chart
  for values in "$here"/values/*.yaml; do
    render "$scratch/skald" "$values" >"$here/snapshots/$(basename "$values")" || exit 1
  done
}

as_snapshot() { diff -u "$here/snapshots/$(basename "$1")" <(render "$scratch/skald" "$1"); }

lint() { helm lint --strict --kube-version 1.31.0 "$chart" --values "$1"; }

refused() {  # refused VALUES MESSAGE ARGUMENT...: VALUES with these arguments are refused, and the message says so
  local values=$here/values/$1 message=$2 said
  shift 2
  if said=$(render "$chart" "$values" "$@" 2>&1 >/dev/null); then
    echo "it is accepted"
    return 1
  fi
  grep -qF -- "$message" <<<"$said" || { echo "it says: $said"; return 1; }
}

# Of each line of refusals.txt: what is set, and what the message must hold.
refusals() {
  local set message
  while IFS='|' read -r set message; do
    [[ $set != \#* && -n $set ]] || continue
    check "refused: $set" refused minimal.yaml "${message# }" --set "${set% }"
  done <"$here/refusals.txt"
  check "refused: an API without a token" refused bare.yaml "secrets.http.token is not set" \
    --set config.http.unprotected=false
  check "refused: nothing whose lag KEDA could ask for" refused bare.yaml "keda.topics is not set" \
    --set keda.enabled=true --set-json 'config.triggers={"in-code":{}}'
}

# The file KEY of a ConfigMap among rendered objects, as the pod would see it.
configuration() {  # configuration FILE KEY
  awk -v key="  $2: |" '$0 == key { inside = 1; next } inside && !/^    / { exit } inside { print substr($0, 5) }' "$1"
}

# The program takes what the pods, `migrate` and `preflight` would be given. Secrets come from the environment here,
# since their files are in the pod.
taken_by_program() {  # taken_by_program VALUES
  local key rendered=$scratch/rendered.yaml
  render "$chart" "$1" >"$rendered" || return 1
  for key in skald.yaml migrate.yaml preflight.yaml; do
    configuration "$rendered" $key >"$scratch/$key"
    [ $key = skald.yaml ] || grep -q "^  $key:" "$rendered" || continue
    [ -s "$scratch/$key" ] || { echo "no $key is rendered"; return 1; }
  done
  local environment=(SKALD_POSTGRES_PASSWORD=x)
  if grep -q '^databases:' "$scratch/skald.yaml"; then
    environment=(SKALD_DATABASES_FIRST_PASSWORD=x)
    grep -q 'uri:' "$scratch/skald.yaml" ||
      environment=(SKALD_DATABASES_FIRST_URI=postgresql://a/b SKALD_DATABASES_SECOND_URI=postgresql://c/d)
  fi
  env "${environment[@]}" SKALD_HTTP_TOKEN=x "$program" check-config --config "$scratch/skald.yaml" >/dev/null || return 1
  # What neither of these two knows it would refuse; that PostgreSQL is not reached is the next thing it says.
  for key in migrate preflight; do
    [ -s "$scratch/$key.yaml" ] || continue
    PGCONNECT_TIMEOUT=1 timeout 60 env "${environment[@]}" "$program" $key --config "$scratch/$key.yaml" >"$scratch/said" 2>&1
    [ $? -eq 69 ] || { echo "$key: $(cat "$scratch/said")"; return 1; }
  done
}

# Every alert and every dashboard of the chart is rendered, and nothing of them is taken for a template.
files_are_rendered() {
  local rendered=$scratch/files.yaml alert dashboard
  render "$chart" "$here/values/everything.yaml" >"$rendered" || return 1
  grep -q 'alert: ' "$chart/files/rules.yaml" || { echo "files/rules.yaml has no alert"; return 1; }
  while read -r alert; do
    grep -qE "alert: $alert\$" "$rendered" || { echo "$alert is not rendered"; return 1; }
  done < <(sed -n 's/^ *\(- \)\{0,1\}alert: *//p' "$chart/files/rules.yaml")
  for dashboard in "$chart"/files/dashboards/*.json; do
    [ -e "$dashboard" ] || continue
    diff <(configuration "$rendered" "$(basename "$dashboard")" | python3 -m json.tool) <(python3 -m json.tool "$dashboard") ||
      return 1
  done
}

alert_left_out() {
  local rendered=$scratch/alert.yaml
  render "$scratch/skald" "$here/values/everything.yaml" --set 'prometheusRule.disabled={SkaldOther}' >"$rendered"
  grep -q 'alert: SkaldSagasStuck' "$rendered" && ! grep -q 'alert: SkaldOther' "$rendered"
}

# draft-07, and every object that names its keys knows no others.
schema_is_closed() {
  python3 - "$chart/values.schema.json" <<'PYTHON'
import json, sys
schema = json.load(open(sys.argv[1]))
assert schema["$schema"] == "http://json-schema.org/draft-07/schema#", schema["$schema"]
def closed(one, path):
    if isinstance(one, dict):
        if "properties" in one and isinstance(one["properties"], dict) and one.get("type") == "object":
            assert one.get("additionalProperties") is False, f"{path} is open"
        for key, value in one.items():
            closed(value, f"{path}/{key}")
closed(schema, "")
PYTHON
}

quick() {
  local values
  steady_chart
  for values in "$here"/values/*.yaml; do
    check "helm lint with $(basename "$values")" lint "$values"
    check "$(basename "$values") renders as its snapshot (tests/chart/run snapshots writes it)" as_snapshot "$values"
    [ -z "$program" ] || check "the program takes the configuration of $(basename "$values")" taken_by_program "$values"
  done
  [ -n "$program" ] || say "no program was given: whether it takes the rendered configuration is not checked"
  refusals
  check "alerts and dashboards are rendered as they are" files_are_rendered
  check "an alert can be left out" alert_left_out
  check "values.schema.json is draft-07 and closed" schema_is_closed
  check "values.schema.json knows the program's keys" "$root/tools/chart-schema" --check
  check "README.md has the values" "$root/tools/chart-readme" --check
}
