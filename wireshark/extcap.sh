#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lists "tcpwitness: kernel and wire" among the interfaces of Wireshark and tshark, and records for them (extcap(4)).
# Installed by "tcpwitness wireshark --install".
set -u
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
program=tcpwitness # or where "tcpwitness wireshark --install" was run from
[ -x "$(command -v "$program")" ] || program=tcpwitness

wants='' fifo='' filter='' duration='' packets=all snaplen='' netns=''
while [ $# -gt 0 ]; do
  name=$1 value=''
  shift
  case $name in
    --*=*) value=${name#*=} name=${name%%=*} ;;
    --extcap-interfaces | --extcap-dlts | --extcap-config | --capture) ;;
    --*)
      if [ $# -gt 0 ]; then
        value=$1
        shift
      fi
      ;;
  esac
  case $name in
    --extcap-interfaces) wants=interfaces ;;
    --extcap-dlts) wants=${wants:-dlts} ;;
    --extcap-config) wants=${wants:-config} ;;
    --capture) wants=${wants:-capture} ;;
    --fifo) fifo=$value ;;
    --filter | --extcap-capture-filter) [ -z "$value" ] || filter=$value ;;
    --duration) duration=$value ;;
    --packets) packets=$value ;;
    --snaplen) snaplen=$value ;;
    --netns) netns=$value ;;
  esac
done

case $wants in
  interfaces)
    echo 'extcap {version=1.0}{help=https://github.com/tcpwitness/tcpwitness}'
    echo 'interface {value=tcpwitness}{display=tcpwitness: kernel and wire}'
    ;;
  dlts) # the file says for each interface what its packets are
    echo 'dlt {number=1}{name=EN10MB}{display=Ethernet, with kernel events between}'
    ;;
  config)
    echo 'arg {number=0}{call=--filter}{display=Ports and networks}{type=string}{tooltip=As in "tcp port 443 and net 10/8": compared in the kernel}'
    echo 'arg {number=1}{call=--duration}{display=Seconds (0: until stopped)}{type=double}{default=0}{range=0,86400}'
    echo 'arg {number=2}{call=--packets}{display=Segments}{type=selector}{tooltip=Which segments are recorded}'
    echo 'value {arg=2}{value=all}{display=all}{default=true}'
    echo 'value {arg=2}{value=events}{display=events: those that open, close, reset, retransmit, probe or stop a connection}{default=false}'
    echo 'arg {number=3}{call=--snaplen}{display=Bytes of each segment}{type=integer}{default=128}{range=64,1024}'
    echo 'arg {number=4}{call=--netns}{display=Network namespace}{type=string}{tooltip=A name as in "ip netns", or a path; empty: the current one}'
    ;;
  capture)
    [ -n "$fifo" ] || {
      echo "tcpwitness: no --fifo to record to" >&2
      exit 2
    }
    case $filter in
      -*)
        echo "tcpwitness: '$filter' is no expression: it begins with '-'" >&2
        exit 2
        ;;
    esac
    set -- record -q -w - --packets "$packets"
    case $duration in
      *[!0.]*) set -- "$@" -d "$duration" ;; # neither empty nor 0, 0.0, 0.000
    esac
    [ -z "$snaplen" ] || set -- "$@" --snaplen "$snaplen"
    [ -z "$netns" ] || set -- "$@" --netns "$netns"
    [ -z "$filter" ] || set -- "$@" "$filter"
    # The shell opens the pipe, and waits for its reader; signals then go to the program itself.
    exec "$program" "$@" >"$fifo"
    ;;
  *)
    echo "tcpwitness: an interface for Wireshark and tshark (extcap), see docs/wireshark.md" >&2
    exit 2
    ;;
esac
