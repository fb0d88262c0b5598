// SPDX-License-Identifier: Apache-2.0
#include "top/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sink/format.hpp"
#include "sink/life_columns.hpp"

namespace tcpwitness::top {
namespace {

constexpr std::size_t wide_table = 110;
constexpr std::size_t gauges_high = 4;

constexpr Look bar{Colour::none, true};
constexpr Look strong{Colour::bold};

struct Place {
  Column column;
  const char* title;
  std::size_t width;
  bool right;
};

std::string cut_front(std::string_view text, std::size_t width) {
  if (text.size() <= width || width == 0) return std::string(text.substr(0, width));
  return '~' + std::string(text.substr(text.size() - width + 1));
}

std::string pid_text(std::uint32_t pid) { return pid != 0 ? std::to_string(pid) : "-"; }

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

std::vector<Place> places_of(const View& view, std::size_t width) {
  return view.table == Table::connection ? connection_places(width, view.totals)
                                         : group_places(view.table, width, view.totals);
}

class Layout {
 public:
  Layout(const Model& model, View& view, const Surroundings& around)
      : model_(model), view_(view), around_(around), width_(around.width) {}

  Frame lay() {
    title();
    if (view_.mode == Mode::help) {
      text(help_rows(), true);
      footer({{"q", "back"}, {"Up/Down", "scroll"}});
    } else if (view_.mode != Mode::tables) {
      connection_text();
    } else {
      gauges();
      tabs();
      const std::size_t left = around_.height - std::min(around_.height, frame_.size() + 1);
      const std::size_t findings = std::clamp<std::size_t>(left / 3, 2, 12);
      table(left - findings);
      findings_pane(findings);
      keys();
    }
    frame_.resize(std::min(frame_.size(), around_.height), Row(width_));
    return std::move(frame_);
  }

 private:
  Row& row() { return frame_.emplace_back(width_); }

  void title() {
    Row& line = row();
    std::string right = fmt::format("  {} open  {} ended  {} bad", grouped(model_.open()),
                                    grouped(model_.total().ended), grouped(model_.total().bad));
    if (model_.lost() != 0) right += fmt::format("  {} LOST", grouped(model_.lost()));
    if (around_.wall_ns != 0) right += "  " + clock_seconds(around_.wall_ns);
    right += ' ';
    std::string left = " tcpwitness top";
    if (view_.paused) left += "  PAUSED";
    if (around_.ended) left += "  END";
    if (!around_.source.empty()) left += "  " + shown(around_.source, around_.utf8);
    line.put(cut(left, width_ > right.size() ? width_ - right.size() : 0));
    if (right.size() < width_) line.to(width_ - right.size());
    line.put(right);
    line.bar(bar);
  }

  struct Gauge {
    const char* title;
    double Sample::* what;
    bool bytes;
    Colour colour;
  };

  void gauge(Row& line, const Gauge& gauge, std::size_t begin, std::size_t width) {
    const Sample newest = model_.samples().empty() ? Sample{} : model_.samples().back();
    const double value = newest.*gauge.what;
    line.to(begin);
    line.put(gauge.title, Colour::dim);
    line.to(begin + 14);
    const std::string number = gauge.bytes
                                   ? std::string(short_bytes(static_cast<std::uint64_t>(std::llround(value))).view())
                                   : short_count(value);
    const bool notable = value > 0 && gauge.colour != Colour::none;
    line.cell(number, 6, true, notable ? Look{gauge.colour} : strong);
    if (width <= 23) return;
    line.put(" ");
    line.put(sparkline(model_.samples(), gauge.what, width - 23, around_.utf8), notable ? gauge.colour : Colour::wire);
  }

  void gauges() {
    constexpr std::array<Gauge, 2 * gauges_high> all{{
        {"new conns/s", &Sample::begun, false, Colour::none},
        {"open", &Sample::open, false, Colour::none},
        {"sent B/s", &Sample::tx, true, Colour::none},
        {"received B/s", &Sample::rx, true, Colour::none},
        {"retrans out/s", &Sample::retransmits_out, false, Colour::warn},
        {"retrans in/s", &Sample::retransmits_in, false, Colour::warn},
        {"resets/s", &Sample::resets, false, Colour::bad},
        {"events lost/s", &Sample::lost, false, Colour::loud},
    }};
    const std::size_t half = width_ / 2;
    for (std::size_t i = 0; i < all.size(); i += 2) {
      Row& line = row();
      gauge(line, all.at(i), 0, half);
      if (half >= 21) gauge(line, all.at(i + 1), half + 1, width_ - half - 1);
    }
  }

  void tabs() {
    Row& line = row();
    constexpr std::array<const char*, table_count> names{"1 process", "2 remote", "3 listener", "4 connection"};
    constexpr std::array<const char*, table_count> brief{"1proc", "2rem", "3list", "4conn"};
    const bool narrow = width_ < 76;
    for (std::size_t i = 0; i < table_count; ++i) {
      const bool here = static_cast<std::size_t>(view_.table) == i;
      line.put(" ");
      line.put(here ? fmt::format("[{}]", narrow ? brief.at(i) : names.at(i))
                    : fmt::format(" {} ", narrow ? brief.at(i) : names.at(i)),
               here ? strong : Look{Colour::dim});
    }
    line.put(view_.totals ? "  totals" : "  per second");
    if (view_.table == Table::connection && view_.which != Which::all)
      line.put(view_.which == Which::open ? "  only open" : "  only bad");
    if (view_.editing) {
      line.put("  /" + view_.filter, strong).put("_", strong);
    } else if (!view_.filter.empty()) {
      line.put("  /" + view_.filter, Colour::warn);
    }
  }

  void head(const std::vector<Place>& places) {
    Row& line = row();
    const Sort& sort = view_.sorting();
    for (const Place& place : places) {
      const bool by = place.column == sort.column;
      const std::string mark = !by              ? ""
                               : around_.utf8   ? (sort.ascending ? "\u25b2" : "\u25bc")
                               : sort.ascending ? "^"
                                                : "v";
      line.cell(place.title + mark, place.width, place.right);
      line.put(" ");
    }
    line.bar(bar);
  }

  [[nodiscard]] std::string rate(std::uint64_t count, bool bytes) const {
    const double value = view_.totals ? static_cast<double>(count) : static_cast<double>(count) / model_.seconds();
    if (bytes) return std::string(short_bytes(static_cast<std::uint64_t>(std::llround(value))).view());
    return short_count(value);
  }

  [[nodiscard]] std::string group_cell(const Item& item, const Place& place) const {
    const Group& group = *item.group;
    const Counts& counts = view_.totals ? group.total : group.last;
    switch (place.column) {
      case Column::pid:
        return item.other ? "" : pid_text(group.pid);
      case Column::name: {
        if (!item.other)
          return place.width < group.name.size() && view_.table != Table::process ? cut_front(group.name, place.width)
                                                                                  : shown(group.name, around_.utf8);
        const std::size_t folded = model_.in_other(static_cast<By>(view_.table));
        return folded != 0 ? fmt::format("other ({}+)", short_count(static_cast<double>(folded))) : "other";
      }
      case Column::open:
        return short_count(static_cast<double>(group.open));
      case Column::begun:
        return rate(counts.begun, false);
      case Column::tx:
        return rate(counts.tx, true);
      case Column::rx:
        return rate(counts.rx, true);
      case Column::retransmits_out:
        return rate(counts.retransmits_out, false);
      case Column::retransmits_in:
        return rate(counts.retransmits_in, false);
      case Column::resets:
        return rate(counts.resets, false);
      case Column::bad:
        return rate(counts.bad, false);
      default:
        return "";
    }
  }

  [[nodiscard]] std::string connection_cell(const Connection& c, const Place& place) const {
    const Counts& counts = view_.totals ? c.total : c.last;
    switch (place.column) {
      case Column::name: {
        const std::string pid = c.pid != 0 ? fmt::format("[{}]", c.pid) : "";
        std::string comm = c.comm[0] != '\0' ? shown(c.name(), around_.utf8) : "?";
        if (place.width <= pid.size()) return comm;
        return cut(comm, place.width - pid.size()) + pid;
      }
      case Column::local:
        if (place.right) return fmt::format(":{}", c.flow.local.port);
        return cut_front(endpoint_text(c.flow.local).view(), place.width);
      case Column::remote:
        return cut_front(endpoint_text(c.flow.remote).view(), place.width);
      case Column::state:
        return std::string(c.open ? name(c.state) : name(c.outcome));
      case Column::tx:
        return rate(counts.tx, true);
      case Column::rx:
        return rate(counts.rx, true);
      case Column::retransmits_out:
        return rate(counts.retransmits_out + counts.retransmits_in, false);
      case Column::age:
        return std::string(short_duration(c.age(model_.now())).view());
      case Column::finding:
        return c.finding ? std::string(name(*c.finding)) : "";
      default:
        return "";
    }
  }

  [[nodiscard]] Look look_of(const Item& item, const Place& place) const {
    if (item.connection != nullptr) {
      const Connection& c = *item.connection;
      if (place.column == Column::state) return {c.open ? Colour::none : colour_of(c.outcome)};
      if (place.column == Column::finding) return {Colour::warn};
      return {c.open ? Colour::none : Colour::dim};
    }
    if (place.column == Column::name) return strong;
    return {};
  }

  void table(std::size_t high) {
    const std::vector<Place> places = places_of(view_, width_);
    head(places);
    const std::size_t rows = high > 0 ? high - 1 : 0;
    view_.page = rows;
    const std::vector<Item> list = items(model_, view_);
    const std::size_t chosen = place_of(list, view_);
    // The chosen row is in sight, and the first page stays where it can.
    const std::size_t first = chosen < rows ? 0 : chosen - rows + 1;
    for (std::size_t i = 0; i < rows; ++i) {
      Row& line = row();
      if (i == 0 && list.empty()) line.put(empty_words(), Colour::dim);
      if (first + i >= list.size()) continue;
      const Item& item = list[first + i];
      for (const Place& place : places) {
        const std::string text =
            item.group != nullptr ? group_cell(item, place) : connection_cell(*item.connection, place);
        line.cell(text, place.width, place.right, look_of(item, place));
        line.put(" ");
      }
      if (first + i == chosen && !view_.in_findings) line.bar(bar);
    }
  }

  [[nodiscard]] std::string empty_words() const {
    if (!view_.filter.empty()) return "nothing matches; Esc clears the filter";
    if (view_.table == Table::connection && view_.which == Which::bad) return "no bad connection so far; a shows all";
    return "no connection so far";
  }

  void findings_pane(std::size_t high) {
    const auto& lines = model_.lines();
    view_.findings_up = std::min(view_.findings_up, lines.empty() ? 0 : lines.size() - 1);
    Row& top = row();
    top.put(fmt::format("Findings {}", lines.empty() ? "" : grouped(lines.size())));
    if (view_.in_findings) top.put("  (Up/Down, Enter: timeline, e: story, f: back)");
    top.bar(bar);
    const std::size_t rows = high - 1;
    // The newest at the bottom.
    const std::size_t last = lines.size() - view_.findings_up;  // behind the last one shown
    const std::size_t shown_now = std::min(rows, last);
    for (std::size_t i = 0; i < rows; ++i) {
      Row& line = row();
      if (i >= shown_now) continue;
      const std::size_t at = last - shown_now + i;
      finding_line(line, lines[at]);
      if (view_.in_findings && at + 1 == last) line.bar(bar);
    }
  }

  void finding_line(Row& line, const Line& finding) const {
    line.put(clock_seconds(finding.ts_ns) + ' ', Colour::dim);
    if (finding.conn != 0) line.put(fmt::format("#{} ", finding.conn), hue_of(finding.conn));
    if (!finding.title.empty()) line.put(finding.title, finding.loud ? Colour::loud : Colour::warn);
    if (!finding.where.empty()) line.put(" " + finding.where, Colour::bold);
    line.put(finding.title.empty() ? "" : ": ");
    line.put(shown(finding.text, around_.utf8));
  }

  struct Hint {
    const char* key;
    const char* what;
  };
  void footer(const std::vector<Hint>& hints) {
    while (frame_.size() + 1 < around_.height) row();
    Row& line = row();
    if (!around_.note.empty()) {
      line.put(shown(around_.note, around_.utf8), strong);
      return;
    }
    for (const auto& [key, what] : hints) {
      if (line.used() + std::string_view(key).size() + std::string_view(what).size() + 3 > width_) break;
      line.put(key, bar).put(" ").put(what).put("  ");
    }
  }
  void keys() {
    if (view_.editing) {
      footer(
          {{"Enter", "keep the filter"}, {"Esc", "clear it"}, {"", "letters of a name, an address, a port, a state"}});
    } else {
      footer({{"?", "help"},
              {"Tab", "table"},
              {"Enter", "open"},
              {"e", "story"},
              {"/", "filter"},
              {"> <", "sort"},
              {"T", "totals"},
              {"f", "findings"},
              {"P", "pause"},
              {"q", "quit"}});
    }
  }

  void text(const std::vector<Row>& rows, bool from_above) {
    const std::size_t high = around_.height > frame_.size() + 1 ? around_.height - frame_.size() - 1 : 0;
    view_.page = high;
    const std::size_t most = rows.size() > high ? rows.size() - high : 0;
    view_.text_up = std::min(view_.text_up, most);
    view_.text_down = std::min(view_.text_down, most);
    const std::size_t first = from_above ? view_.text_down : most - view_.text_up;
    for (std::size_t i = first; i < rows.size() && i < first + high; ++i) frame_.push_back(rows[i]);
  }

  void connection_text() {
    const Connection* c = model_.find(view_.opened);
    Row& line = row();
    line.put(fmt::format("#{} ", view_.opened), hue_of(view_.opened));
    if (c != nullptr) {
      line.put(std::string(endpoint_text(c->flow.local).view()), strong);
      line.put(fmt::format(" {} ", role_mark(c->role, around_.utf8)));
      line.put(std::string(endpoint_text(c->flow.remote).view()), strong);
      line.put("  " + connection_cell(*c, {Column::name, "", 30, false}));
      line.put("  " + std::string(c->open ? name(c->state) : name(c->outcome)),
               c->open ? Colour::none : colour_of(c->outcome));
    } else {
      line.put("is over, and more have ended since than are remembered", Colour::dim);
    }
    text(around_.text, view_.mode == Mode::story);
    if (view_.mode == Mode::timeline) {
      footer({{"q", "back"}, {"e", "story"}, {"p", "picture"}, {"Up/Down", "scroll"}, {"P", "pause"}, {"?", "help"}});
    } else {
      footer({{"q", "back"}, {"t", "timeline"}, {"p", "picture"}, {"Up/Down", "scroll"}, {"?", "help"}});
    }
  }

  [[nodiscard]] std::vector<Row> help_rows() const {
    constexpr std::array<Hint, 28> keys_help{{
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
    std::vector<Row> rows;
    for (const auto& [key, what] : keys_help) {
      constexpr std::size_t column = 15;
      Row& line = rows.emplace_back(width_);
      line.put(" ").put(key, strong).to(column);
      std::vector<Row> words = words_in(what, column, width_);
      line.put(std::string_view(words.front().text()).substr(std::min(column, words.front().used())));
      rows.insert(rows.end(), words.begin() + 1, words.end());
    }
    return rows;
  }

  const Model& model_;
  View& view_;
  const Surroundings& around_;
  std::size_t width_;
  Frame frame_;
};

}  // namespace

std::string short_count(double count) {
  if (count < 0.05) return "0";
  if (count < 9.95 && std::abs(count - std::round(count)) > 0.05) return fmt::format("{:.1f}", count);
  if (count < 99'999.5) return fmt::format("{:.0f}", count);
  if (count < 999'500) return fmt::format("{:.0f}K", count / 1e3);
  if (count < 99.95e6) return fmt::format("{:.1f}M", count / 1e6);
  if (count < 999.5e6) return fmt::format("{:.0f}M", count / 1e6);
  return fmt::format("{:.1f}G", std::min(count / 1e9, 999.0));
}

std::string sparkline(const std::deque<Sample>& samples, double Sample::* what, std::size_t cells, bool utf8) {
  constexpr std::array<std::string_view, 9> blocks{" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                                   "\u2585", "\u2586", "\u2587", "\u2588"};
  constexpr std::array<std::string_view, 9> ascii{" ", ".", ".", ":", ":", "=", "=", "#", "#"};
  const std::size_t count = std::min(samples.size(), cells);
  double most = 0;
  for (std::size_t i = samples.size() - count; i < samples.size(); ++i) most = std::max(most, samples[i].*what);
  std::string line(cells - count, ' ');
  for (std::size_t i = samples.size() - count; i < samples.size(); ++i) {
    const double value = samples[i].*what;
    const auto level = value <= 0 ? 0U : std::clamp(static_cast<unsigned>(std::ceil(value / most * 8)), 1U, 8U);
    line += (utf8 ? blocks : ascii).at(level);
  }
  return line;
}

Frame layout(const Model& model, View& view, const Surroundings& around) {
  if (around.width == 0 || around.height == 0) return {};
  if (around.width < least_width || around.height < least_height) {
    Row row(around.width);
    row.put(fmt::format("needs {}x{}", least_width, least_height));
    return {row};
  }
  return Layout(model, view, around).lay();
}

}  // namespace tcpwitness::top
