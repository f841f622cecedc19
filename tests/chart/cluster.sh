# shellcheck shell=bash
# The chart on a real kube-apiserver, with its controllers and Pod Security `restricted`; see apiserver/main.go for what
# is real. Sourced by tests/chart/run. Nothing here may be warned about: a warning is how the server says that a field
# is unknown, or that a workload's pods would break Pod Security.
# shellcheck disable=SC2154  # here, chart, scratch, failed and pids come from it

kubectl() { timeout 120 "$kubernetes_program" kubectl --kubeconfig "$scratch/cluster/kubeconfig" "$@"; }
of() { kubectl get -n "$1" "$2" -o "jsonpath=$3"; }  # of NAMESPACE OBJECT JSONPATH

begin() {  # begin COMMAND: one of the cluster's processes, until the end of the test
  mkdir -p "$scratch/cluster"
  "$kubernetes_program" "$1" "$scratch/cluster" >"$scratch/cluster/$1.log" 2>&1 &
  pids+=($!)
}

await() {  # await SECONDS COMMAND...
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $deadline ] || { echo "not within its time: $*"; return 1; }
    sleep 0.3
  done
}

# Not under `check`, whose subshell would forget the processes.
start_processes() {
  have_kubernetes
  begin server
  await 180 test -e "$scratch/cluster/kubeconfig" || return 1
  begin controllers
  begin nodes
}

install_crds() {
  local folder
  folder=$(module "$prometheus" "$prometheus_sum") || return 1
  kubectl apply --server-side -f "$folder/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml" \
    -f "$folder/example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml" || return 1
  folder=$(module "$keda" "$keda_sum") || return 1
  kubectl apply --server-side -f "$folder/config/crd/bases/keda.sh_scaledobjects.yaml" || return 1
  kubectl wait --for condition=Established --timeout 60s crd --all
}

restricted() {  # restricted NAMESPACE
  kubectl create namespace "$1" &&
    kubectl label namespace "$1" pod-security.kubernetes.io/{enforce,warn,audit}=restricted
}

release() {  # release COMMAND...: helm, which succeeds and is warned of nothing
  local said status=0
  said=$(helm --kubeconfig "$scratch/cluster/kubeconfig" "$@" 2>&1) || status=1
  if [ $status -ne 0 ] || grep -qi warning <<<"$said"; then
    echo "$said"
    return 1
  fi
}

same() { [ "$1" = "$2" ] || { echo "it is '$1', not '$2'"; return 1; }; }
different() { [ "$1" != "$2" ] || { echo "it is still '$1'"; return 1; }; }

minimal=(--namespace shop --values "$here/values/minimal.yaml" --wait --timeout 120s)
checksum() { of shop deployment/shop-skald '{.spec.template.metadata.annotations.checksum/config}'; }
selector() { of shop deployment/shop-skald '{.spec.selector.matchLabels}'; }
deployed_image() { of shop deployment/shop-skald '{.spec.template.spec.containers[0].image}'; }
events() { of shop events "{range .items[?(@.reason==\"$1\")]}{.involvedObject.kind}/{.involvedObject.name} {end}"; }
failed_job() { of shop job/shop-skald-migrations '{.status.conditions[?(@.type=="Failed")].reason}'; }
job_pods() { kubectl get pods -n shop -l app.kubernetes.io/component=migrations -o name | wc -l; }

running_pods_have_checksum() {  # two, and all of the newest configuration
  local found
  found=$(of shop pods '{range .items[?(@.status.phase=="Running")]}{.metadata.annotations.checksum/config} {end}')
  same "$found" "$1 $1 "
}

installed() {
  release install shop "$chart" "${minimal[@]}" || return 1
  same "$(events Completed)" "Job/shop-skald-migrations " || return 1  # by the Job controller, with a pod that was made
  same "$(of shop pdb/shop-skald '{.status.disruptionsAllowed}')" 1 || return 1
  same "$(of shop deployment/shop-skald '{.status.readyReplicas}')" 2 || return 1
  same "$(of shop jobs '{.items}')$(of shop serviceaccounts/shop-skald '{.automountServiceAccountToken}')" "[]false"
}

no_token_in_any_pod() { same "$(of shop pods '{.items[*].spec.volumes[*].projected.sources[*].serviceAccountToken}')" ""; }

rolled_by_configuration() {
  local before labels
  before=$(checksum) labels=$(selector)
  release upgrade shop "$chart" "${minimal[@]}" --set config.runtime.lanes=8,commonLabels.team=shop || return 1
  different "$(checksum)" "$before" || return 1
  same "$(selector)" "$labels" || return 1
  await 60 running_pods_have_checksum "$(checksum)"
}

not_rolled_by_nothing() {
  local before
  before=$(of shop deployment/shop-skald '{.metadata.generation}')
  release upgrade shop "$chart" "${minimal[@]}" --set config.runtime.lanes=8,commonLabels.team=shop || return 1
  same "$(of shop deployment/shop-skald '{.metadata.generation}')" "$before"
}

# An upgrade whose preflight ends with CODE is not made; the Job says REASON after so many pods.
not_upgraded_after() {  # not_upgraded_after CODE REASON PODS
  local before
  before=$(deployed_image)
  if release upgrade shop "$chart" "${minimal[@]}" --set image.tag=2.0.0,migrations.backoffLimit=1 \
    --set "migrations.podAnnotations.skald\\.test/endings=preflight=$1"; then
    echo "it is made"
    return 1
  fi
  same "$(failed_job)" "$2" && same "$(job_pods)" "$3" && same "$(deployed_image)" "$before"
}

rolled_back() {
  local before=$1
  release rollback shop 1 --namespace shop --wait --timeout 120s || return 1
  same "$(checksum)" "$before" || return 1
  await 60 running_pods_have_checksum "$before"
}

tested() { release test shop --namespace shop --timeout 60s; }

leftovers() {  # leftovers NAMESPACE: what carries the labels of a release
  local kinds
  kinds=$(kubectl api-resources --verbs=list --namespaced -o name | grep -v '^events' | paste -sd , -) || return 1
  kubectl get "$kinds" -n "$1" -l app.kubernetes.io/part-of=skald -o name --ignore-not-found
  kubectl get pods,endpointslices,replicasets -n "$1" -o name --ignore-not-found
}

uninstalled() {
  release uninstall shop --namespace shop --wait --timeout 120s || return 1
  await 60 nothing_left shop
  same "$(leftovers shop)" ""
}
nothing_left() { [ -z "$(leftovers "$1")" ]; }

# Each of the values as a release of its own, all objects accepted, pods there if the values ask for some that can be.
accepted() {  # accepted NAME KIND/NAME...
  local name=$1 object
  shift
  restricted "$name" >/dev/null || return 1
  release install shop "$chart" --namespace "$name" --values "$here/values/$name.yaml" --wait --timeout 120s || return 1
  for object; do kubectl get -n "$name" "$object" >/dev/null || return 1; done
  release upgrade shop "$chart" --namespace "$name" --values "$here/values/$name.yaml" --wait --timeout 120s || return 1
  release uninstall shop --namespace "$name" --wait --timeout 120s || return 1
  await 60 nothing_left "$name"
}

# Whether this test would notice: the same chart with one thing that `restricted` forbids.
forbidden_is_noticed() {
  restricted forbidden >/dev/null || return 1
  if release install shop "$chart" --namespace forbidden --values "$here/values/bare.yaml" \
    --set pod.containerSecurityContext.allowPrivilegeEscalation=true >/dev/null; then
    echo "no warning was given"
    return 1
  fi
  await 30 pods_are_forbidden
}
pods_are_forbidden() {
  [[ $(of forbidden replicasets '{.items[*].status.conditions[?(@.type=="ReplicaFailure")].message}') = *'violates PodSecurity "restricted'* ]]
}

cluster() {
  local first
  start_processes
  check "etcd, kube-apiserver and its controllers start" kubectl get --raw /readyz
  check "the CRDs of the Prometheus operator and KEDA" install_crds
  [ "$failed" -eq 0 ] || return
  check "a namespace with Pod Security restricted" restricted shop
  check "install: hooks first, then two ready pods" installed
  first=$(checksum)
  check "no pod has a token" no_token_in_any_pod
  check "helm test" tested
  check "upgrade: another configuration rolls the pods, selectors stay" rolled_by_configuration
  check "upgrade: the same again rolls nothing" not_rolled_by_nothing
  check "upgrade: 'would break' stops it at once" not_upgraded_after 1 PodFailurePolicy 1
  check "upgrade: 'could not check' is tried again, then stops it" not_upgraded_after 69 BackoffLimitExceeded 2
  check "upgrade: goes on after a failed one" release upgrade shop "$chart" "${minimal[@]}" --set image.tag=2.0.0
  check "rollback to the first revision" rolled_back "$first"
  check "uninstall leaves nothing" uninstalled
  check "everything.yaml is accepted" accepted everything scaledobject.keda.sh/shop-orders \
    servicemonitor.monitoring.coreos.com/shop-orders prometheusrule.monitoring.coreos.com/shop-orders \
    networkpolicy/shop-orders deployment/shop-orders configmap/shop-orders-more configmap/shop-text
  check "statefulset.yaml is accepted" accepted statefulset statefulset/orders hpa/orders service/orders-pods
  check "databases-keda.yaml is accepted" accepted databases-keda scaledobject.keda.sh/shop-skald
  check "bare.yaml is accepted" accepted bare deployment/shop-skald
  check "what restricted forbids is noticed" forbidden_is_noticed
}
