# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# figures.sh: for bench-read: statistics of a file of numbers, and tables. Sourced, never run.
# $output is text or markdown.

median() { sort -n "$1" | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# table: tab-separated rows, the first one the heading, as aligned text or markdown.
table() {
  awk -F '\t' -v markdown="$([[ $output == markdown ]] && echo 1 || echo 0)" '
    { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) }; columns = NF }
    function pad(text, i) { return i == 1 ? sprintf("%-*s", width[i], text) : sprintf("%*s", width[i], text) }
    END {
      for (r = 1; r <= NR; r++) {
        line = markdown ? "|" : ""
        for (i = 1; i <= columns; i++) line = line (markdown ? " " : i > 1 ? "  " : "") pad(cell[r, i], i) (markdown ? " |" : "")
        print line
        if (markdown && r == 1) { line = "|"; for (i = 1; i <= columns; i++) line = line (i == 1 ? "---|" : "---:|"); print line }
      }
    }'
  echo
}
