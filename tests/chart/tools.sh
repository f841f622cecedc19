# shellcheck shell=bash
# The tools of the chart's tests, each built once from its Go module and kept in the cache. Sourced by tests/chart/run.
# shellcheck disable=SC2034,SC2154  # what is set here is used by the others, and here comes from run

helm_version=v3.18.6
kubernetes_version=v1.31.0
keda=github.com/kedacore/keda/v2@v2.15.1
keda_sum=h1:Kb3woYuCeCPICH037vTIcUopXgOYpdP2qa+CmHgV3SE=
prometheus=github.com/prometheus-operator/prometheus-operator@v0.76.0
prometheus_sum=h1:EjGJiQVF3BUy/iygeRlN6iMBIAySMGZobEm7+7A95pI=
cache=${SKALD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/skald}

need_go() {
  local version major minor
  version=$(go env GOVERSION 2>/dev/null || true)
  IFS=. read -r major minor _ <<<"${version#go}"
  if [[ ! $version =~ ^go[0-9]+\.[0-9]+ ]] || ((major == 1 && minor < 24)); then
    die "the chart's tests build helm and kube-apiserver: they need Go 1.24 or newer on PATH (found: ${version:-none})"
  fi
}

# once PROGRAM COMMAND...: runs COMMAND, which makes $cache/PROGRAM.part, unless $cache/PROGRAM is there.
once() {
  local program=$cache/$1
  shift
  mkdir -p "$(dirname "$program")"
  (
    flock 9
    [ ! -x "$program" ] || exit 0
    need_go
    say "building ${program##*/} (once)"
    rm -rf "$program.part"
    "$@" "$program.part" </dev/null >"$program.log" 2>&1 || die "${program##*/} was not built: see $program.log"
    mv "$program.part" "$program"
  ) 9>"$program.lock" || exit 1
}

build_helm() {  # build_helm PROGRAM
  local folder
  folder=$(mktemp -d)
  GOBIN=$folder go install "helm.sh/helm/v3/cmd/helm@$helm_version" && mv "$folder/helm" "$1" && rmdir "$folder"
}

build_kubernetes() {  # build_kubernetes PROGRAM
  local set="-X k8s.io/component-base/version"
  cd "$here/apiserver" && go build -ldflags "$set.gitVersion=$kubernetes_version $set.gitMajor=1 $set.gitMinor=31" -o "$1" .
}

# The module's folder, if it is the one we know.
module() {  # module NAME@VERSION SUM
  local found
  found=$(cd "$here/apiserver" && go mod download -json "$1") || die "could not fetch $1: $found"
  grep -qF "\"Sum\": \"$2\"" <<<"$found" || die "$1 is not the module with sum $2"
  sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$found"
}

have_helm() {
  once "helm-$helm_version" build_helm
  helm_program=$cache/helm-$helm_version
}

have_kubernetes() {
  local sources
  sources=$(cat "$here"/apiserver/* | cksum | cut -d ' ' -f 1)
  once "kubernetes-$kubernetes_version-$sources" build_kubernetes
  kubernetes_program=$cache/kubernetes-$kubernetes_version-$sources
}
