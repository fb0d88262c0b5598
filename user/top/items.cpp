// SPDX-License-Identifier: Apache-2.0
#include "top/items.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "sink/format.hpp"

namespace tcpwitness::top {
namespace {

const Counts& counts_of(const Item& item, bool totals) {
  if (item.group != nullptr) return totals ? item.group->total : item.group->last;
  return totals ? item.connection->total : item.connection->last;
}

std::uint64_t number_of(const Item& item, Column column, const View& view, TimeNs now) {
  const Counts& counts = counts_of(item, view.totals);
  switch (column) {
    case Column::open:
      return item.group != nullptr ? item.group->open : 0;
    case Column::begun:
      return counts.begun;
    case Column::tx:
      return counts.tx;
    case Column::rx:
      return counts.rx;
    case Column::retransmits_out:
      return counts.retransmits_out + (item.connection != nullptr ? counts.retransmits_in : 0);
    case Column::retransmits_in:
      return counts.retransmits_in;
    case Column::resets:
      return counts.resets;
    case Column::bad:
      return counts.bad;
    case Column::pid:
      return item.group != nullptr ? item.group->pid : item.connection->pid;
    case Column::age:
      return item.connection != nullptr
                 ? static_cast<std::uint64_t>(std::max<std::int64_t>(item.connection->age(now), 0))
                 : 0;
    default:
      return 0;
  }
}

std::string text_of(const Item& item, Column column) {
  if (item.group != nullptr) return item.group->name;
  const Connection& c = *item.connection;
  switch (column) {
    case Column::local:
      return std::string(endpoint_text(c.flow.local).view());
    case Column::remote:
      return std::string(endpoint_text(c.flow.remote).view());
    case Column::state:
      return std::string(c.open ? name(c.state) : name(c.outcome));
    case Column::finding:
      return c.finding ? std::string(name(*c.finding)) : "";
    default:
      return std::string(c.name());
  }
}

// Where two are equal: open ones first, then the newest.
bool before(const Item& a, const Item& b) {
  if (a.connection != nullptr && b.connection != nullptr) {
    if (a.connection->open != b.connection->open) return a.connection->open;
    return a.connection->conn > b.connection->conn;
  }
  const auto& x = *a.group;
  const auto& y = *b.group;
  if (x.total.tx + x.total.rx != y.total.tx + y.total.rx) return x.total.tx + x.total.rx > y.total.tx + y.total.rx;
  return std::pair(std::string_view(x.name), x.pid) < std::pair(std::string_view(y.name), y.pid);
}

bool matches(const std::string& filter, std::string_view text) {
  const auto same = [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(a) == lower(b);
  };
  return !std::ranges::search(text, filter, same).empty();
}

bool matches(const Item& item, const std::string& filter) {
  if (filter.empty()) return true;
  if (item.group != nullptr)
    return matches(filter, item.group->name) || (item.group->pid != 0 && filter == std::to_string(item.group->pid));
  const Connection& c = *item.connection;
  for (const Column column : {Column::name, Column::local, Column::remote, Column::state, Column::finding}) {
    if (matches(filter, text_of(item, column))) return true;
  }
  return c.pid != 0 && filter == std::to_string(c.pid);
}

bool wanted(const Connection& c, Which which) {
  return which == Which::all || (which == Which::open && c.open) || (which == Which::bad && c.bad);
}

}  // namespace

bool is_text(Column column) {
  return column == Column::name || column == Column::local || column == Column::remote || column == Column::state ||
         column == Column::finding;
}

Chosen Item::as_chosen() const {
  if (connection != nullptr) return {.name = {}, .id = connection->conn};
  return {.name = other ? "\x01" : group->name, .id = group->pid};
}

const std::vector<Column>& columns_of(Table table) {
  using enum Column;
  static const std::vector<Column> process{name,           pid,    open, begun, tx, rx, retransmits_out,
                                           retransmits_in, resets, bad};
  static const std::vector<Column> group{name, open, begun, tx, rx, retransmits_out, retransmits_in, resets, bad};
  static const std::vector<Column> connection{name, local, remote, state, tx, rx, retransmits_out, age, finding};
  return table == Table::process ? process : table == Table::connection ? connection : group;
}

std::vector<Item> items(const Model& model, const View& view) {
  std::vector<Item> list;
  const auto add = [&](const Item& item) {
    if (matches(item, view.filter)) list.push_back(item);
  };
  if (view.table == Table::connection) {
    for (const Connection* c : model.connections()) {
      if (wanted(*c, view.which)) add({.connection = c});
    }
  } else {
    for (const Group* group : model.groups(static_cast<By>(view.table))) add({.group = group});
  }
  const Sort& sort = view.sorting();
  const TimeNs now = model.now();
  if (is_text(sort.column)) {
    std::vector<std::pair<std::string, Item>> named;
    named.reserve(list.size());
    for (const Item& item : list) named.emplace_back(text_of(item, sort.column), item);
    std::ranges::sort(named, [&](const auto& a, const auto& b) {
      if (a.first != b.first) return (a.first < b.first) == sort.ascending;
      return before(a.second, b.second);
    });
    for (std::size_t i = 0; i < list.size(); ++i) list[i] = named[i].second;
  } else {
    std::ranges::sort(list, [&](const Item& a, const Item& b) {
      const std::uint64_t x = number_of(a, sort.column, view, now);
      const std::uint64_t y = number_of(b, sort.column, view, now);
      if (x != y) return (x < y) == sort.ascending;
      return before(a, b);
    });
  }
  if (view.table != Table::connection) {
    const Group& other = model.other(static_cast<By>(view.table));
    const bool any = other.total != Counts{} || other.open != 0;
    if (any && view.filter.empty()) list.push_back({.group = &other, .other = true});
  }
  return list;
}

std::size_t place_of(const std::vector<Item>& list, const View& view) {
  const Chosen& chosen = view.chosen.at(static_cast<std::size_t>(view.table));
  if (chosen == Chosen{}) return 0;
  const auto at = std::ranges::find_if(list, [&](const Item& item) { return item.as_chosen() == chosen; });
  return at == list.end() ? 0 : static_cast<std::size_t>(at - list.begin());
}

ConnectionId meant(const View& view, const Model& model) {
  if (view.mode != Mode::tables) return view.opened;
  if (view.in_findings) {
    const auto& lines = model.lines();
    return view.findings_up < lines.size() ? lines[lines.size() - 1 - view.findings_up].conn : 0;
  }
  if (view.table != Table::connection) return 0;
  const std::vector<Item> list = items(model, view);
  return list.empty() ? 0 : list[place_of(list, view)].connection->conn;
}

}  // namespace tcpwitness::top
