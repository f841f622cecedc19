# shellcheck shell=bash
# What Skald needs from Debian or Ubuntu, and how it comes onto the machine. Sourced by `dev`; it installs only what
# is missing, so that a machine that has everything is not asked for a password and needs no network.

# Debian 12's g++ 12 destroys coroutine temporaries twice (see docs/dependencies.md), hence its clang-16; later
# releases take clang-19.
# shellcheck source=/dev/null
llvm=$(. /etc/os-release; if [ "$ID$VERSION_ID" = debian12 ]; then echo 16; else echo 19; fi)

# shellcheck disable=SC2034  # the lists are used by those who source this
build_packages=(  # what compiles Skald and a program with it: all that the Dockerfile's build stage installs
  "clang-$llvm" cmake ninja-build ccache pkg-config
  librdkafka-dev libpqxx-dev rapidjson-dev prometheus-cpp-dev libcli11-dev libcpp-httplib-dev libcurl4-openssl-dev
  libspdlog-dev libfmt-dev libyaml-cpp-dev libssl-dev libjemalloc-dev libhowardhinnant-date-dev
)
packages=(
  "${build_packages[@]}"
  "clang-format-$llvm" "clang-tidy-$llvm" "llvm-$llvm" "libclang-rt-$llvm-dev"
  shellcheck git ca-certificates curl jq python3
  libgtest-dev libgmock-dev libbenchmark-dev
  postgresql kcat default-jre-headless maven tzdata
)
# shellcheck disable=SC2034
image_packages=(buildah runc debootstrap)  # what builds and runs images; only `./dev image` wants them

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "installing packages takes root or sudo; missing: ${missing[*]}"
  fi
}

install_packages() {  # install_packages [PACKAGE...]: by default all that `dev` needs
  [ $# -gt 0 ] || set -- "${packages[@]}"
  local missing=() package
  local -A present=()
  while read -r state package; do
    if [ "$state" = installed ]; then present[$package]=1; fi
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n')
  if command -v java >/dev/null; then present[default-jre-headless]=1; fi
  for package in "$@"; do
    [ -n "${present[$package]:-}" ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  say "installing ${missing[*]}"
  local no_cluster=/etc/postgresql-common/createcluster.d/skald.conf
  if [[ " ${missing[*]} " = *" postgresql "* ]]; then  # we start private clusters; a system-wide one is not ours to make
    as_root mkdir -p "$(dirname $no_cluster)"
    echo 'create_main_cluster = false' | as_root tee $no_cluster >/dev/null
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y update </dev/null >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends \
    -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >&2
  as_root rm -f $no_cluster
}
