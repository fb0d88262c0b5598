#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# manual.sh: the manual has no warning of man's or mandoc's, each command has its page, and the completions complete.
#
#   manual.sh build/manual build/tcpwitness
set -euo pipefail
made=$1 tcpwitness=$2 wrong=0

for page in "$made"/man7/*.7 "$made"/man8/*.8; do
  if ! said=$(mandoc -Tlint -Wstyle "$page" 2>&1) || [[ -n $said ]]; then
    echo "$said"
    wrong=1
  fi
  said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null) || wrong=1
  [[ -z $said ]] || {
    echo "$page: $said"
    wrong=1
  }
done

# Each command has its page, and a page each option that the help has.
page_text() { LC_ALL=C.UTF-8 MANWIDTH=200 man -l -Tutf8 "$1" | col -bx; }
while read -r command; do
  page=$made/man8/tcpwitness-$command.8
  [[ -e $page ]] || {
    echo "there is no page of $command"
    wrong=1
    continue
  }
  text=$(page_text "$page")
  while read -r option; do
    grep -qE -- "(^|[ ,])$option([ ,]|\$)" <<<"$text" || {
      echo "the page of $command has no $option"
      wrong=1
    }
  done < <("$tcpwitness" "$command" --help | grep -oE '^ {2,6}(-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+')
done < <("$tcpwitness" --help | grep -oE '^(Usage:|      ) tcpwitness \[?[a-z]+' | grep -oE '[a-z]+$')

bash -n "$made/completions/tcpwitness.bash"
shellcheck -s bash "$made/completions/tcpwitness.bash"
zsh -n "$made/completions/_tcpwitness"
fish -n "$made/completions/tcpwitness.fish"
python3 -B "$(dirname "${BASH_SOURCE[0]}")/complete.py" "$made/completions"
exit "$wrong"
