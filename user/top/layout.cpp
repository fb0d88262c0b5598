// SPDX-License-Identifier: Apache-2.0
#include "top/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sink/format.hpp"
#include "sink/life_columns.hpp"
#include "top/cells.hpp"
#include "top/columns.hpp"
#include "top/help.hpp"
#include "top/items.hpp"
#include "top/numbers.hpp"

namespace tcpwitness::top {
namespace {

constexpr std::size_t gauges_high = 4;

constexpr Look bar{Colour::none, true};
constexpr Look strong{Colour::bold};

std::string cut_front(std::string_view text, std::size_t width) {
  if (text.size() <= width || width == 0) return std::string(text.substr(0, width));
  return '~' + std::string(text.substr(text.size() - width + 1));
}

std::string pid_text(std::uint32_t pid) { return pid != 0 ? std::to_string(pid) : "-"; }

class Layout {
 public:
  Layout(const Model& model, View& view, const Surroundings& around)
      : model_(model), view_(view), around_(around), width_(around.width) {}

  Frame lay() {
    title();
    if (view_.mode == Mode::help) {
      text(help_rows(width_), true);
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
    if (model_.not_followed() != 0) right += fmt::format("  {} without rates", grouped(model_.not_followed()));
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

  const Model& model_;
  View& view_;
  const Surroundings& around_;
  std::size_t width_;
  Frame frame_;
};

}  // namespace

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
