#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# service.sh: the two units under a real systemd, in a container of its own (systemd-nspawn): off at first, then ready, rotated,
# watched, restarted and stopped. Its network has a loopback and nothing else.
#
#   service.sh ROOT       a root of Debian with systemd and the package
#
# 77 where no such container can be had; the last line has the reason.
set -euo pipefail
shopt -s nullglob

# Inside, as the only service of the machine that systemd boots.
# shellcheck disable=SC2317
inside() {
  local wrong=0 unit pid recordings
  must() { # WHAT COMMAND...
    local what=$1
    shift
    "$@" >/tmp/said 2>&1 || {
      printf 'NOT: %s\n' "$what"
      cat /tmp/said
      wrong=1
    }
  }
  becomes() { # COMMAND...: within 30 s
    local i
    for ((i = 0; i < 300; i++)); do
      ! "$@" >/dev/null 2>&1 || return 0
      sleep 0.1
    done
    "$@"
  }
  lives() { cat /var/log/tcpwitness/lives.ndjson* | grep -c '"type":"life"'; }
  has_lives() { (($(lives) == $1)); }
  refused() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
  status() { [[ $(systemctl show -P StatusText "$1") == *"$2"* ]]; }
  says() { journalctl --no-pager -q -u "$1" "${@:3}" -o cat | grep -q "$2"; }
  silent() { [[ -z $(journalctl --no-pager -q -t tcpwitness -p warning -o cat) ]]; }
  restarted() { [[ $(systemctl show -P NRestarts tcpwitness) == "$1" && $(systemctl is-active tcpwitness) == active ]]; }

  ip link set lo up
  for unit in tcpwitness tcpwitness-record; do
    must "$unit is off after its installation" [ "$(systemctl is-enabled $unit)" = disabled ]
    must "$unit stays off in a preset" systemctl preset $unit
    must "$unit is off by preset" [ "$(systemctl is-enabled $unit)" = disabled ]
    must "$unit is right for systemd" systemd-analyze verify "/lib/systemd/system/$unit.service"
    must "$unit is as closed as it was" systemd-analyze security --no-pager --offline=true --threshold=25 "/lib/systemd/system/$unit.service"
    must "$unit starts" systemctl start $unit
    must "$unit is active" systemctl is-active $unit
    must "$unit has a status" status $unit tracing
  done
  pid=$(systemctl show -P MainPID tcpwitness)
  must "no user of /etc/passwd" [ "$(stat -c %u "/proc/$pid")" -ge 61184 ]
  must "three capabilities" grep -q '^CapEff:.000000c000001000$' "/proc/$pid/status"
  must "no new privileges" grep -q '^NoNewPrivs:.1$' "/proc/$pid/status"

  # logrotate's order: rename, then SIGHUP.
  must "a connection" refused 9
  must "is a line" becomes has_lives 1
  must "logrotate" logrotate -f /etc/logrotate.d/tcpwitness
  must "there is an old file" [ -s /var/log/tcpwitness/lives.ndjson.1 ]
  must "and a new one" becomes [ -e /var/log/tcpwitness/lives.ndjson ]
  must "another connection" refused 10
  must "is one line more" becomes has_lives 2
  must "which stands in the new file" grep -q '"type":"life"' /var/log/tcpwitness/lives.ndjson
  must "reload" systemctl reload tcpwitness
  must "is active after it" [ "$(systemctl is-active tcpwitness)" = active ]
  must "the flight recorder has written" becomes sh -c 'ls -l /var/lib/tcpwitness/flight-*.pcapng | grep -q .'

  # Nothing is wrong, so nothing is a warning; no colour; the journal has the name already.
  must "no warning in the journal" silent
  must "what is traced is in the journal" says tcpwitness '^tracing with version'
  must "no escape sequence" sh -c "! journalctl --no-pager -q -t tcpwitness -o export | grep -q $'\\e'"

  # Stopped by a signal it is not at work: the watchdog ends it and starts it again.
  mkdir -p /run/systemd/system/tcpwitness.service.d
  printf '[Service]\nWatchdogSec=2s\nRestartSec=100ms\n' >/run/systemd/system/tcpwitness.service.d/quick.conf
  systemctl daemon-reload
  systemctl restart tcpwitness
  must "it lives on for longer than the watchdog's time" sh -c 'sleep 5; systemctl is-active tcpwitness'
  must "without a restart" restarted 0
  kill -STOP "$(systemctl show -P MainPID tcpwitness)"
  must "the watchdog restarts it" becomes restarted 1
  must "and says so" says tcpwitness 'Watchdog timeout'

  # A configuration that is wrong is no reason to try again for ever.
  cp /etc/tcpwitness/tcpwitness.conf /tmp/right.conf
  echo 'prot = 443' >>/etc/tcpwitness/tcpwitness.conf
  systemctl restart tcpwitness 2>/dev/null
  must "it has failed" [ "$(systemctl is-failed tcpwitness)" = failed ]
  must "the journal says why, as an error" says tcpwitness prot -p err
  cp /tmp/right.conf /etc/tcpwitness/tcpwitness.conf
  must "it starts again" systemctl restart tcpwitness

  must "both stop" systemctl stop tcpwitness tcpwitness-record
  must "well" [ "$(systemctl show -P Result tcpwitness tcpwitness-record | sort -u | tr -d '\n')" = success ]
  recordings=(/var/lib/tcpwitness/flight-*.pcapng)
  tcpwitness read "${recordings[0]}" -o json >/tmp/read 2>&1
  must "the recording is whole" grep -q '"type":"life"' /tmp/read
  ((wrong)) || echo "right"
}

if [[ ${1-} == --inside ]]; then
  set +e
  inside
  systemctl --force poweroff
  exit
fi

root=$(realpath "$1")
command -v systemd-nspawn >/dev/null || {
  echo "there is no systemd-nspawn"
  exit 77
}
mkdir -p "$root/etc/systemd/system"
cp "$0" "$root/tw-service.sh"
cat >"$root/etc/systemd/system/tw-service.service" <<'END2'
[Service]
Type=oneshot
ExecStart=bash /tw-service.sh --inside
StandardOutput=file:/tw-service.log
StandardError=file:/tw-service.log
END2
printf '[Unit]\nRequires=tw-service.service basic.target\nAfter=basic.target\n' >"$root/etc/systemd/system/tw-service.target"
clean() { rm -f "$root"/tw-service.* "$root"/etc/systemd/system/tw-service.*; }
trap clean EXIT
log=$root/tw-service.log
rm -f "$log"
SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout -k 10 180 \
  systemd-nspawn --quiet --register=no --keep-unit --directory="$root" --private-network --capability=all \
  --system-call-filter='bpf perf_event_open' --console=pipe --link-journal=no --resolv-conf=off --timezone=off \
  --boot systemd.unit=tw-service.target </dev/null >"$root/tmp/console" 2>&1 || true
if [[ ! -e $log ]]; then
  echo "systemd does not boot in a container here: $(tail -n 1 "$root/tmp/console")"
  exit 77
fi
cat "$log"
[[ $(tail -n 1 "$log") == right ]]
