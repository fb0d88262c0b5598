// SPDX-License-Identifier: Apache-2.0
#include "top/columns.hpp"

#include <algorithm>

namespace tcpwitness::top {
namespace {

constexpr std::size_t wide_table = 110;

// What is left of the width is the name's.
std::vector<Place> group_places(Table table, std::size_t width, bool totals) {
  std::vector<Place> places;
  if (table == Table::process) places.push_back({Column::pid, "PID", 7, true});
  places.push_back({Column::name,
                    table == Table::process  ? "COMM"
                    : table == Table::remote ? "REMOTE"
                                             : "LISTENER",
                    0, false});
  for (const Place& place :
       {Place{Column::open, "OPEN", 6, true}, Place{Column::begun, totals ? "CONNS" : "NEW/s", 6, true},
        Place{Column::tx, totals ? "TX" : "TX/s", 6, true}, Place{Column::rx, totals ? "RX" : "RX/s", 6, true},
        Place{Column::retransmits_out, "RETR>", 6, true}, Place{Column::retransmits_in, "RETR<", 6, true},
        Place{Column::resets, "RST", 5, true}, Place{Column::bad, "BAD", 5, true}})
    places.push_back(place);
  std::size_t used = 0;
  for (const Place& place : places) used += place.width + 1;
  const std::size_t name = table == Table::process ? 8 : 15;
  while (used + name > width && places.size() > 3) {
    used -= places.back().width + 1;
    places.pop_back();
  }
  const auto at = std::ranges::find(places, Column::name, &Place::column);
  at->width = std::min<std::size_t>(width > used ? width - used : 1, 48);
  return places;
}

std::vector<Place> connection_places(std::size_t width, bool totals) {
  const bool wide = width >= wide_table;
  std::vector<Place> places{
      {Column::name, "PROCESS", wide ? 18U : 13U, false},
      {Column::local, "LOCAL", wide ? 21U : 6U, !wide},
      {Column::remote, "REMOTE", 21, false},
      {Column::state, "STATE", wide ? 18U : 11U, false},
      {Column::tx, totals ? "TX" : "TX/s", 5, true},
      {Column::rx, totals ? "RX" : "RX/s", 5, true},
      {Column::retransmits_out, "RETR", 5, true},
      {Column::age, "AGE", 6, true},
  };
  std::size_t used = 0;
  for (const Place& place : places) used += place.width + 1;
  while (used > width + 1 && places.size() > 3) {
    used -= places.back().width + 1;
    places.pop_back();
  }
  if (width > used + 10) places.push_back({Column::finding, "FINDING", width - used, false});
  return places;
}

}  // namespace

std::vector<Place> places_of(const View& view, std::size_t width) {
  return view.table == Table::connection ? connection_places(width, view.totals)
                                         : group_places(view.table, width, view.totals);
}

}  // namespace tcpwitness::top
