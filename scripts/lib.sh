# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# lib.sh: what the scripts share: where things are, which packages are needed, installing what is
# missing, building incrementally. Sourced, never run.
#
# Nothing here writes to stdout: that belongs to the tracer's data. Nothing changes the caller's
# working directory. apt-get runs only when something that a package provides is not there.

set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$project/build
jobs=$(nproc)
script=${0##*/}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # bpftool, nft, ethtool

say() { printf '%s: %s\n' "$script" "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# PACKAGE:PROBE, where the probe is a command, a file below an include directory, or a whole path.
packages_run=(
  g++:g++ cmake:cmake ninja-build:ninja pkg-config:pkg-config clang:clang bpftool:bpftool
  libc6-dev:stdlib.h linux-libc-dev:linux/bpf.h libbpf-dev:bpf/libbpf.h libelf-dev:libelf.h zlib1g-dev:zlib.h
  libzstd-dev:zstd.h libpcap-dev:pcap/pcap.h libnl-3-dev:libnl3/netlink/netlink.h libseccomp-dev:seccomp.h
  prometheus-cpp-dev:prometheus/metric_family.h libboost-dev:boost/beast.hpp
  libncurses-dev:ncursesw/curses.h libcli11-dev:CLI/CLI.hpp libfmt-dev:fmt/format.h nlohmann-json3-dev:nlohmann/json.hpp
  libjs-dygraphs:/usr/share/javascript/dygraphs/dygraph.min.js
)
packages_lab=(libgtest-dev:gtest/gtest.h iproute2:ip nftables:nft)
packages_field=(
  python3:python3 iproute2:ip nftables:nft ethtool:ethtool conntrack:conntrack curl:curl nginx:nginx nodejs:node iperf3:iperf3
  redis-server:redis-server haproxy:haproxy postgresql:psql socat:socat
)
packages_bench=(
  libgtest-dev:gtest/gtest.h libbenchmark-dev:benchmark/benchmark.h python3:python3 tcpdump:tcpdump iproute2:ip procps:sysctl
  nginx:nginx curl:curl wrk:wrk iperf3:iperf3
)
packages_bench_read=(tcptrace:tcptrace tshark:tshark iperf3:iperf3 ethtool:ethtool)
packages_package=(
  file:file dpkg-dev:dpkg-shlibdeps lintian:lintian debootstrap:debootstrap python3:python3 python3-jsonschema:/usr/lib/python3/dist-packages/jsonschema
  systemd:systemd-analyze systemd-container:systemd-nspawn
  mandoc:mandoc man-db:man bsdextrautils:col zsh:zsh fish:fish shellcheck:shellcheck
)
packages_test=(
  "${packages_lab[@]}" "${packages_field[@]}" "${packages_bench[@]}" "${packages_package[@]}" tshark:tshark curl:curl nginx:nginx nodejs:node iperf3:iperf3 prometheus:promtool
  chromium:chromium chromium-driver:chromedriver ethtool:ethtool tmux:tmux clang-format-19:clang-format-19 clang-tidy-19:clang-tidy-19 shellcheck:shellcheck
  clang-19:clang++-19 libclang-rt-19-dev:/usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.fuzzer-"$(uname -m)".a
)
packages_vm=(qemu-system-x86:qemu-system-x86_64 kmod:modprobe busybox-static:busybox cpio:cpio)

present() {
  local directory
  case $1 in
    /*) [[ -e $1 ]] ;;
    *.h | *.hpp)
      for directory in /usr/include /usr/local/include /usr/include/*-linux-gnu*; do
        [[ -e $directory/$1 ]] && return
      done
      return 1
      ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# missing PACKAGE:PROBE...: the packages whose probe fails, each once.
missing() {
  local entry
  for entry; do
    present "${entry#*:}" || echo "${entry%%:*}"
  done | sort -u
}

# Debian 12 or later? (testing and unstable carry no VERSION_ID)
is_debian() {
  local ID='' VERSION_ID=''
  # shellcheck source=/dev/null
  . /etc/os-release 2>/dev/null || return 1
  [[ $ID == debian && ${VERSION_ID:-99} -ge 12 ]] && command -v apt-get >/dev/null
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# Installing a server package must not start the server, now or at the next boot: the test set-up
# leaves no listener on this machine. A policy-rc.d that is already there is kept.
install_packages() {
  local policy=/usr/sbin/policy-rc.d ours='# tcpwitness: no service starts while its test packages are installed' server
  if [[ ! -e $policy ]] || grep -qF "$ours" "$policy"; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\n%s\nexit 101\n' "$ours" >"$policy"
    chmod 755 "$policy"
  fi
  apt_get update || true # one broken third-party source is no reason to stop; installing decides
  apt_get install --no-install-recommends "$@" || return
  for server in nginx iperf3 redis-server haproxy postgresql prometheus; do
    [[ " $* " != *" $server "* ]] || update-rc.d "$server" disable || true # with or without systemd
  done
}

# need PACKAGE:PROBE...: installs what is missing, or prints what to install and ends the script.
need() {
  local wanted log
  mapfile -t wanted < <(missing "$@")
  ((${#wanted[@]})) || return 0
  is_debian || die "this is not Debian 12 or later; please install what Debian calls: ${wanted[*]}"
  ((EUID == 0)) || die "packages are missing; use sudo this once, or: apt-get install --no-install-recommends ${wanted[*]}"
  log=$(mktemp)
  say "installing ${wanted[*]}"
  (install_packages "${wanted[@]}") >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    die "apt-get could not install these packages (all it said: $log)"
  }
  rm -f "$log"
  hash -r
  mapfile -t wanted < <(missing "$@")
  ((${#wanted[@]} == 0)) || die "still missing after installing: ${wanted[*]}"
}

# Under sudo, what is built still belongs to the owner of the checkout: the next build without sudo
# must be able to write there.
as_owner() {
  local place=$project uid gid
  [[ ! -d $build ]] || place=$build
  read -r uid gid < <(stat -c '%u %g' "$place")
  local become=(setpriv "--reuid=$uid" "--regid=$gid" --clear-groups)
  if ((EUID == 0 && uid != 0)) && "${become[@]}" test -w "$project"; then
    "${become[@]}" "$@"
  else
    "$@"
  fi
}

build() { as_owner "$project/scripts/build" "$@"; }

# With the address and undefined-behaviour sanitizers: the unit tests and the fuzz targets, which share what they test.
sanitized=$project/build-sanitized
build_sanitized() { # TARGET...
  CXX=clang++-19 build -d "$sanitized" -D TCPWITNESS_SANITIZE=ON -D TCPWITNESS_CORE_ONLY=ON -D TCPWITNESS_TESTS=ON "$@"
}

# apt with lists of its own for one suite: neither the machine's sources nor its packages change.
suite_apt() { # SUITE COMMAND [ARGUMENT...]
  local place=$build/vm/apt-$1
  mkdir -p "$place"/{state/lists/partial,cache/archives/partial}
  ( # two checks of scripts/test may ask for the same suite at once
    flock 8
    printf 'Types: deb\nURIs: http://deb.debian.org/%s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
      "$([[ $1 == *-security ]] && echo debian-security || echo debian)" "$1" /usr/share/keyrings/debian-archive-keyring.gpg \
      >"$place/suite.sources"
    printf '%s;\n' "Dir::State \"$place/state\"" 'Dir::State::status "/dev/null"' "Dir::Cache \"$place/cache\"" \
      "Dir::Etc::sourcelist \"$place/suite.sources\"" 'Dir::Etc::sourceparts "/dev/null"' 'Acquire::Languages "none"' \
      'APT::Sandbox::User "root"' >"$place/apt.conf"
    APT_CONFIG=$place/apt.conf "${@:2}"
  ) 8>"$place/lock"
}
