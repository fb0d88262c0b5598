// SPDX-License-Identifier: Apache-2.0
#include "top/help.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace tcpwitness::top {
namespace {

struct HelpLine {
  const char* key;
  const char* what;
};
constexpr std::array<HelpLine, 28> help_lines{{
    {"Up Down j k", "move; PgUp PgDn Home End too, g G: first, last"},
    {"Tab, 1 2 3 4", "the table: processes, remote addresses, listeners, connections"},
    {"Enter", "of a connection or a finding: its timeline, live, with causes"},
    {"", "of a process, an address, a listener: its connections"},
    {"e", "the story of a connection, as 'explain' prints it"},
    {"p", "its picture, into a file here (live)"},
    {"Esc, q", "back; q in the tables quits, as do F10 and Ctrl-C"},
    {"/ \\ F4 l", "filter: rows with these letters; Esc clears it"},
    {"> < F6", "sort by the next column, the one before"},
    {"I", "invert the order"},
    {"s r c n", "sort by bytes sent, received, new connections, name"},
    {"T", "per second, or totals since the start"},
    {"a", "connections: all, only open, only bad"},
    {"f", "move in the findings"},
    {"P Z", "pause: the picture stands still, counting goes on"},
    {"Ctrl-L F5", "draw again; Ctrl-Z suspends"},
    {"", ""},
    {"OPEN", "connections now"},
    {"NEW/s", "connections that began; CONNS in totals"},
    {"TX RX", "payload sent (acknowledged) and received, while it passes"},
    {"RETR> RETR<", "segments sent again from here, and by the peers"},
    {"RST", "connections that a RST ended or refused"},
    {"BAD", "ended badly, or with a finding other than time-wait; open ones too"},
    {"other", "groups without a row of their own: each table has 1024 rows"},
    {"", ""},
    {"", "Over loopback both ends are connections of this machine."},
    {"",
     "Open connections are read once an interval. One that began and ended in between counts when it ends. "
     "When more than 2,000 a second end, ordinary ones have no timeline; those with a fault have one."},
    {"",
     "In names '?' stands for what would move the cursor, has no width of its own, or is written from right to "
     "left."},
}};

}  // namespace

std::vector<Row> help_rows(std::size_t width) {
  std::vector<Row> rows;
  for (const auto& [key, what] : help_lines) {
    constexpr std::size_t column = 15;
    Row& line = rows.emplace_back(width);
    line.put(" ").put(key, Colour::bold).to(column);
    std::vector<Row> words = words_in(what, column, width);
    line.put(std::string_view(words.front().text()).substr(std::min(column, words.front().used())));
    rows.insert(rows.end(), words.begin() + 1, words.end());
  }
  return rows;
}

}  // namespace tcpwitness::top
