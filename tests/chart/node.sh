# shellcheck shell=bash
# The chart on one real node: kubelet and scheduler from their modules, containerd, runc and CNI plugins from Debian
# (fetched and unpacked into the cache if they are not installed), an image of place-order, PostgreSQL and Kafka beside
# it. Orders go through the pods while they are rolled. It takes root and control groups; without these it says so and
# is skipped. There is no cluster DNS and no kube-proxy: the Service is played by a port-forward. Sourced by run.
# shellcheck disable=SC2154  # here, root, chart, scratch, failed and pids come from it

address=10.77.0.1
bridge=skald-test0
system_folders=(/run/containerd /var/lib/cni /var/log/containers /opt/containerd)  # which they make, whatever they are told
node_folders=()

node_possible() {
  [ "$(id -u)" -eq 0 ] && mkdir /sys/fs/cgroup/memory/skald-test 2>/dev/null && rmdir /sys/fs/cgroup/memory/skald-test &&
    unshare --mount --net true 2>/dev/null && ! ip link show "$bridge" >/dev/null 2>&1
}

have_containerd() {  # the folder with usr/ of containerd, runc and the plugins
  if [ -x /usr/bin/containerd ] && [ -x /usr/sbin/runc ] && [ -x /usr/lib/cni/bridge ]; then
    containerd_root=/
    return
  fi
  once containerd/usr/bin/containerd fetch_containerd
  containerd_root=$cache/containerd
}

fetch_containerd() {  # fetch_containerd PROGRAM, below the folder that takes all
  local folder part=${1%/usr/bin/*}.fetched package
  folder=$(mktemp -d)
  (cd "$folder" && apt-get download containerd runc containernetworking-plugins) || return 1
  for package in "$folder"/*.deb; do dpkg -x "$package" "$part" || return 1; done
  rm -rf "$folder"
  cp -a "$part/." "${1%/usr/bin/*}/" && rm -rf "$part" && cp "${1%.part}" "$1"
}

write_node_files() {
  local folder=$scratch/cluster
  mkdir -p "$folder/cni"
  cat >"$folder/cni/10-test.conflist" <<CNI
{"cniVersion": "0.4.0", "name": "skald-test", "plugins": [{"type": "bridge", "bridge": "$bridge", "isGateway": true,
 "ipam": {"type": "host-local", "dataDir": "$folder/addresses", "ranges": [[{"subnet": "${address%.1}.0/24", "gateway": "$address"}]]}}]}
CNI
  cat >"$folder/containerd.toml" <<TOML
version = 2
root = "$folder/containerd"
state = "$folder/containerd-state"
[grpc]
  address = "$folder/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "skald.test/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "$containerd_root/usr/sbin/runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$containerd_root/usr/lib/cni"
    conf_dir = "$folder/cni"
TOML
  cat >"$folder/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $address
healthzPort: 0
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
containerRuntimeEndpoint: unix://$folder/containerd.sock
podLogsDir: $folder/pods
failSwapOn: false
oomScoreAdj: 0
makeIPTablesUtilChains: false
localStorageCapacityIsolation: false
YAML
}

image() {  # image NAME FOLDER ENTRYPOINT: into containerd
  python3 "$here/image.py" "$1" "$2" "$3" "$scratch/image.tar" && ctr images import "$scratch/image.tar"
}
ctr() { timeout 60 "$containerd_root/usr/bin/ctr" --address "$scratch/cluster/containerd.sock" --namespace k8s.io "$@"; }

make_images() {
  local folder=$scratch/root library
  mkdir -p "$folder" "$scratch/pause"
  cp "$program" "$folder/program"
  for library in $(ldd "$program" | grep -o '/[^ ]*'); do install -D "$library" "$folder$library"; done
  (cd "$here/pause" && CGO_ENABLED=0 go build -o "$scratch/pause/pause" .) || return 1
  image skald.test/pause:1 "$scratch/pause" /pause && image skald.test/place-order:1 "$folder" /program
}

# PostgreSQL and Kafka as tools/stack makes them, but where pods reach them.
start_stack() {
  mkdir -p "$scratch/tools"
  cp -r "$root/tools/kafka" "$scratch/tools"
  # shellcheck disable=SC2016  # $home is that script's
  sed -e "s/127\.0\.0\.1/$address/g" \
    -e "s|^  as_postgres tee -a \"\$home/data/postgresql.conf\"|  echo 'host all all $address/24 trust' \| as_postgres tee -a \"\$home/data/pg_hba.conf\" >/dev/null\n&|" \
    "$root/tools/stack" >"$scratch/tools/stack"
  chmod +x "$scratch/tools/stack"
  chmod 755 "$scratch"
  "$scratch/tools/stack" start "$scratch/stack"
}

start_node() {
  local folder
  have_containerd
  have_kubernetes
  for folder in "${system_folders[@]}"; do [ -e "$folder" ] || node_folders+=("$folder"); done
  trap 'end_node; finish' EXIT
  write_node_files
  ip link add "$bridge" type bridge && ip address add "$address/24" dev "$bridge" && ip link set "$bridge" up || return 1
  PATH=$containerd_root/usr/bin:$containerd_root/usr/sbin:$PATH "$containerd_root/usr/bin/containerd" \
    --config "$scratch/cluster/containerd.toml" >"$scratch/cluster/containerd.log" 2>&1 &
  containerd_pid=$!
  begin server
  await 180 test -e "$scratch/cluster/kubeconfig" || return 1
  begin controllers
  begin scheduler
  export SKALD_TEST_NODE_IP=$address
  begin kubelet
}

end_node() {
  local folder
  kubectl delete namespace --ignore-not-found --timeout 60s orders >/dev/null 2>&1
  for folder in $(ctr tasks ls -q 2>/dev/null); do ctr tasks delete --force "$folder" >/dev/null 2>&1; done
  for folder in "${pids[@]}"; do kill "$folder" 2>/dev/null; done
  for folder in "${pids[@]}"; do wait "$folder" 2>/dev/null; done
  pids=()
  kill "$containerd_pid" 2>/dev/null && wait "$containerd_pid" 2>/dev/null
  if [ -x "$scratch/tools/stack" ]; then "$scratch/tools/stack" remove "$scratch/stack"; fi
  for folder in $(findmnt --raw --noheadings --output TARGET | grep -F "$scratch/" | sort -r); do umount "$folder"; done
  find /sys/fs/cgroup/*/kubepods -depth -type d -exec rmdir {} + 2>/dev/null
  if [ ${#node_folders[@]} -gt 0 ]; then rm -rf "${node_folders[@]}"; fi
  ip link delete "$bridge" 2>/dev/null
}

node_is_ready() {
  await 60 kubectl get node node >/dev/null 2>&1 || return 1
  kubectl wait --for condition=Ready --timeout 60s node/node || return 1
  kubectl taint node node node.kubernetes.io/not-ready- || true  # which the controller left out here would do
}

orders_values() {
  # shellcheck source=/dev/null
  . "$scratch/stack/stack.env"
  cat >"$scratch/orders.yaml" <<YAML
image: {repository: skald.test/place-order, tag: "1", pullPolicy: Never}
config:
  namespace: shop
  postgres: {uri: "$SKALD_POSTGRES"}
  kafka: {bootstrap_servers: "$SKALD_KAFKA"}
  topics: {create: true}
  triggers:
    order-placed: {topic: orders}
secrets:
  http.token: {secretName: skald, secretKey: token}
pod:
  resources: {requests: {cpu: 100m, memory: 300Mi}, limits: {memory: 1100Mi}}
  hostAliases: [{ip: $address, hostnames: [shop-skald]}]
YAML
}

in_orders=(--namespace orders --values "$scratch/orders.yaml" --wait --timeout 150s)
installed_on_node() {
  restricted orders || return 1
  kubectl create secret generic skald --namespace orders --from-literal=token=secret || return 1
  release install shop "$chart" "${in_orders[@]}"
}

start_participants() {
  local participant folder
  folder=$(dirname "$program")/order/participants
  for participant in inventory payments shipping; do
    "$folder/order-$participant" --kafka "$SKALD_KAFKA" --postgres "$SKALD_POSTGRES" \
      >"$scratch/cluster/$participant.log" 2>&1 &
    pids+=($!)
  done
}

place() {  # place FIRST LAST
  local order
  for ((order = $1; order <= $2; order++)); do
    printf 'o-%d\t{"id":"o-%d","customer":"ann","sku":"book","total_cents":1250}\n' "$order" "$order"
  done | kcat -P -b "$SKALD_KAFKA" -t orders -K $'\t'
}

completed() {  # completed COUNT: as the database says
  local count
  count=$(psql -X -A -t "$SKALD_POSTGRES" -c "SELECT count(*) FROM skald.saga WHERE status = 10" 2>&1)
  [ "$count" = "$1" ]
}

orders_through_pods() { place 1 200 && await 90 completed 200; }

# Orders go on while every pod is replaced, and every old pod drains and ends by itself: SIGKILL would be 137.
rolled_under_orders() {
  local placer watcher codes=$scratch/cluster/exit-codes
  kubectl get pods --namespace orders --selector app.kubernetes.io/component=orchestrator --watch \
    --output 'go-template={{range .status.containerStatuses}}{{with .state.terminated}}{{.exitCode}}{{"\n"}}{{end}}{{end}}' \
    >"$codes" &
  watcher=$!
  (for batch in {1..10}; do place $((181 + batch * 20)) $((200 + batch * 20)); sleep 1; done) &
  placer=$!
  release upgrade shop "$chart" "${in_orders[@]}" --set config.log.level=debug || return 1
  wait $placer || return 1
  await 90 completed 400 || return 1
  await 60 two_pods_left || return 1
  kill $watcher
  same "$(grep . "$codes" | sort | uniq -c | awk '{ print $2 }')" 0
}

two_pods_left() { [ "$(kubectl get pods -n orders -l app.kubernetes.io/component=orchestrator -o name | wc -l)" -eq 2 ]; }

tested_on_node() {
  local forward status
  kubectl port-forward --namespace orders --address "$address" deployment/shop-skald 8080:8080 >/dev/null 2>&1 &
  forward=$!
  sleep 2
  release test shop --namespace orders --timeout 60s
  status=$?
  kill $forward
  return $status
}

have_node() {
  if [ -z "$program" ]; then die "the node needs PROGRAM, with its participants beside it"; fi
  if ! node_possible; then
    say "no kubelet can run here: it takes root, control groups and namespaces. Pods were not run."
    exit 77
  fi
  if ! start_node; then die "the node did not start: see $scratch/cluster"; fi
  check "images of place-order and of the pause" make_images
  check "a kubelet is ready" node_is_ready
  check "PostgreSQL and Kafka, where pods reach them" start_stack
  [ "$failed" -eq 0 ]
}

write_wrapper() {  # write_wrapper NAME COMMAND...: a program of that name, which is the command
  local name=$1
  shift
  printf '#!/bin/sh\nexec %s "$@"\n' "$*" >"$scratch/bin/$name"
  chmod +x "$scratch/bin/$name"
}

# For trying things by hand: the node, PostgreSQL and Kafka beside it, until a signal.
stay() {
  if ! have_node || ! install_crds >&2; then exit 1; fi
  mkdir "$scratch/bin"
  write_wrapper kubectl "$kubernetes_program" kubectl
  write_wrapper helm "$helm_program"
  # shellcheck source=/dev/null
  . "$scratch/stack/stack.env"
  cat >"$scratch/env" <<ENV
export SKALD_POSTGRES='$SKALD_POSTGRES' SKALD_KAFKA='$SKALD_KAFKA'
export KUBECONFIG=$scratch/cluster/kubeconfig PATH=$scratch/bin:\$PATH
ENV
  trap 'exit 0' INT TERM
  say "A node of Kubernetes 1.31 runs until Ctrl-C, with PostgreSQL and Kafka on $address, where pods reach them, and the image"
  say "skald.test/place-order:1 (pullPolicy: Never). There is no DNS, no kube-proxy, no Prometheus. In another shell:"
  say ". $scratch/env"
  sleep infinity &
  pids+=($!)
  wait $!
}

node() {
  have_node || return
  orders_values
  check "install: migrate and preflight run, pods become ready" installed_on_node
  start_participants
  check "200 orders are completed by the pods" orders_through_pods
  check "helm test: the database, Kafka and the API answer" tested_on_node
  check "200 more, while all pods are replaced" rolled_under_orders
  check "rollback" release rollback shop 1 --namespace orders --wait --timeout 120s
  check "uninstall" release uninstall shop --namespace orders --wait --timeout 120s
}
