// SPDX-License-Identifier: Apache-2.0
#include "sink/picture/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "sink/closing_words.hpp"
#include "sink/format.hpp"
#include "sink/picture/ladder_items.hpp"
#include "sink/picture/ladder_remarks.hpp"
#include "sink/trace_words.hpp"

namespace tcpwitness::picture {
namespace {

constexpr double row_height = 22;
constexpr double fold_height = 30;
constexpr double drop_height = 13;             // for the words about a drop
constexpr double most_extra = 18;              // of a row, for the wait before it
constexpr std::int64_t silence_ns = pause_ns;  // from here on it is folded
constexpr std::size_t ordinary_run = 12;       // as many ordinary segments are not folded yet
constexpr std::size_t ordinary_kept = 3;       // of a folded run, at each end

Look look_of(Colour colour) {
  switch (colour) {
    case Colour::good:
      return Look::good;
    case Colour::warn:
      return Look::warn;
    case Colour::bad:
      return Look::bad;
    case Colour::dim:
      return Look::quiet;
    default:
      return Look::plain;
  }
}

bool says(const SegmentEntry& entry, std::string_view word) {
  return std::ranges::any_of(entry.analysis, [&](std::string_view one) { return one.contains(word); });
}

Stroke stroke_of(const SegmentEntry& entry) {
  const Segment& segment = entry.segment;
  if ((segment.flags & tcp_flag::rst) != 0) return Stroke::reset;
  if (says(entry, "probe") || says(entry, "keep-alive")) return Stroke::probe;
  if (says(entry, "retransmission")) return Stroke::again;
  if (says(entry, "zero window")) return Stroke::closed_window;
  if ((segment.flags & (tcp_flag::syn | tcp_flag::fin)) != 0) return Stroke::control;
  return segment.len != 0 ? Stroke::data : Stroke::acknowledgement;
}

// It has nothing but its numbers.
bool is_ordinary(const Entry& entry) {
  const SegmentEntry* segment = segment_of(entry);
  if (segment == nullptr || !segment->analysis.empty() || segment->transition || !segment->inferred.empty())
    return false;
  return (segment->segment.flags & (tcp_flag::syn | tcp_flag::fin | tcp_flag::rst)) == 0;
}

std::string joined(const std::vector<Span>& spans) {
  std::string words;
  for (const Span& span : spans) {
    if (span.text.empty()) continue;
    if (!words.empty()) words += ' ';
    words += span.text;
  }
  return words;
}

std::string drop_words(const DropEntry& drop) {
  std::string reason = drop.reason;
  constexpr std::string_view prefix = "SKB_DROP_REASON_";
  if (reason.starts_with(prefix)) reason.erase(0, prefix.size());
  const std::string_view means = meaning(drop.kind);
  return means.empty() ? printable(reason, true) : fmt::format("{} ({})", means, printable(reason, true));
}

class Layout {
 public:
  Layout(const Connection& connection, const Connection* peer, const Names& names, const LadderSettings& settings)
      : connection_(connection),
        peer_(peer),
        words_{.names = names, .utf8 = true},
        settings_(settings),
        items_(items_of(connection, peer)) {}

  Ladder make() {
    ladder_.both_ends = peer_ != nullptr;
    ladder_.inferred = settings_.wire_alone;
    name_it();
    start_ns_ = connection_.life.start_ts_ns;
    if (!items_.empty()) start_ns_ = std::min(start_ns_, items_.front().entry->ts_ns);
    last_ns_ = start_ns_;
    for (std::size_t at = 0; at < items_.size();) at = add_items(at);
    if (connection_.left_out != 0)
      add_note(fmt::format("{} more events are not kept here", grouped(connection_.left_out)));
    stack();
    std::unordered_map<EventId, double> tops;
    for (const auto& [id, row] : by_id_) tops.emplace(id, ladder_.rows[row].y - row_height / 2);
    add_remarks(ladder_, connection_, peer_, tops);
    return std::move(ladder_);
  }

 private:
  void name_it() {
    const Life& life = connection_.life;
    const bool known = life.process.pid != 0;
    const bool passive = life.role == Role::passive;
    ladder_.title = fmt::format("{}{}{} {} {}", known ? process_text(life.process, true) : "", known ? " " : "",
                                endpoint_text(life.flow.local).view(), passive ? "\u2190" : "\u2192",
                                endpoint_text(life.flow.remote).view());
    if (life.nat) ladder_.title += fmt::format(" (NAT: {})", nat_text(life.flow, *life.nat));
    ladder_.outcome = connection_.stray ? "segments that belong to no connection" : closing_words(life);
    ladder_.peer_name = std::string(endpoint_text(life.flow.remote).view());
    if (peer_ != nullptr && peer_->life.process.pid != 0) ladder_.peer_name = process_text(peer_->life.process, true);
  }

  // Where the next one begins.
  std::size_t add_items(std::size_t at) {
    std::size_t end = at;
    while (settings_.fold_ordinary && end < items_.size() && is_ordinary(*items_[end].entry) &&
           !is_evidence(items_[end]))
      ++end;
    if (end - at <= ordinary_run) {
      add(items_[at]);
      return at + 1;
    }
    for (std::size_t i = at; i < at + ordinary_kept; ++i) add(items_[i]);
    fold(at + ordinary_kept, end - ordinary_kept);
    for (std::size_t i = end - ordinary_kept; i < end; ++i) add(items_[i]);
    return end;
  }
  [[nodiscard]] bool is_evidence(const Item& item) {
    if (evidence_.empty()) {
      for (const FindingReport& finding : connection_.findings)
        evidence_.insert(evidence_.end(), finding.finding.evidence.begin(), finding.finding.evidence.end());
      if (evidence_.empty()) evidence_.push_back(0);
      std::ranges::sort(evidence_);
    }
    return std::ranges::binary_search(evidence_, item.entry->id);
  }

  void fold(std::size_t from, std::size_t to) {
    std::uint64_t out = 0;
    std::uint64_t in = 0;
    std::uint64_t out_bytes = 0;
    std::uint64_t in_bytes = 0;
    for (std::size_t i = from; i < to; ++i) {
      const Segment& segment = segment_of(*items_[i].entry)->segment;
      const bool away = leaves(segment) != items_[i].far;
      (away ? out : in) += 1;
      (away ? out_bytes : in_bytes) += segment.len;
    }
    const Entry& last = *items_[to - 1].entry;
    Row row = new_row(Row::Kind::ordinary, last.ts_ns, fold_height);
    row.note = fmt::format("{} segments \u2192 with {}, {} segments \u2190 with {}, in {}", grouped(out),
                           bytes_in_words(out_bytes), grouped(in), bytes_in_words(in_bytes),
                           duration_in_words(last.ts_ns - items_[from].entry->ts_ns));
    last_ns_ = last.ts_ns;
    put(std::move(row));
  }

  // Before the row of this time: the silence that it ended, or some room for a shorter wait.
  double pass_time(TimeNs now) {
    const std::int64_t waited = now - last_ns_;
    last_ns_ = std::max(last_ns_, now);
    if (ladder_.rows.empty()) return 0;
    if (waited >= silence_ns) {
      Row row = new_row(Row::Kind::silence, now, fold_height);
      row.note = fmt::format("{} of silence", duration_in_words(waited));
      put(std::move(row));
      return 0;
    }
    constexpr double shortest_us = 100;
    const double us = static_cast<double>(waited) / 1000;
    return us <= shortest_us ? 0 : std::min(most_extra, 6 * std::log10(us / shortest_us));
  }

  Row new_row(Row::Kind kind, TimeNs now, double height) const {
    Row row;
    row.kind = kind;
    row.height = height;
    row.offset_ns = now - start_ns_;
    return row;
  }
  void put(Row row) { ladder_.rows.push_back(std::move(row)); }
  // When everything that needs room is known.
  void stack() {
    for (Row& row : ladder_.rows) {
      row.below = !row.arrow.empty() && row.arrow[0].dropped ? drop_height : 0;
      row.height += row.below;
      row.top = ladder_.height;
      ladder_.height += row.height;
      row.y = ladder_.height - row.below - row_height / 2;
      ladder_.number_columns = std::max(ladder_.number_columns, number_text(row).size());
    }
  }
  void add_note(std::string text) {
    Row row = new_row(Row::Kind::ordinary, last_ns_, fold_height);
    row.note = std::move(text);
    put(std::move(row));
  }

  void add(const Item& item) {
    const Entry& entry = *item.entry;
    if (const auto* drop = std::get_if<DropEntry>(&entry.body); drop != nullptr && mark_dropped(item, *drop)) return;
    const double extra = pass_time(entry.ts_ns);
    Row row = new_row(Row::Kind::event, entry.ts_ns, row_height + extra);
    row.id = entry.id;
    Part& part = item.far ? row.peer : row.local;
    std::visit([&](const auto& body) { fill(row, part, item, body); }, entry.body);
    by_id_.try_emplace(row.id, ladder_.rows.size());
    if (row.also != 0) by_id_.try_emplace(row.also, ladder_.rows.size());
    put(std::move(row));
  }

  void fill(Row& row, Part& part, const Item& item, const SegmentEntry& body) {
    const EntryText rendered = words_.render(body);
    Arrow arrow;
    const bool out = leaves(body.segment);
    arrow.out = out != item.far;
    arrow.at_peer_end = item.far && item.arrival == nullptr && !out;
    arrow.stroke = stroke_of(body);
    arrow.closed = std::ranges::find(body.analysis, "zero window") != body.analysis.end();
    const std::string_view flags = flags_text(body.segment.flags);
    arrow.words = flags.empty() ? "no flags" : std::string(flags);
    for (const Span& span : rendered.details) {
      // Which transition it belongs to is drawn.
      if (span.text.empty() || span.text.starts_with("after (") || span.text.starts_with("causes (")) continue;
      arrow.words += ' ';
      arrow.words += span.text.ends_with(',') ? span.text.substr(0, span.text.size() - 1) : span.text;
    }
    if (!rendered.kernel_expected && !rendered.kernel.text.empty()) {
      part.kernel = rendered.kernel.text;
      part.look = Look::quiet;
    }
    if (item.arrival != nullptr) {
      row.also = item.arrival->id;
      arrow.took_ns = item.arrival->ts_ns - item.entry->ts_ns;
      const EntryText there = words_.render(std::get<SegmentEntry>(item.arrival->body));
      Part& other = item.far ? row.local : row.peer;
      if (!there.kernel_expected && !there.kernel.text.empty()) {
        other.kernel = there.kernel.text;
        other.look = Look::quiet;
      }
    }
    if (body.transition) row.cause = body.transition->id;
    for (const InferredState& state : body.inferred) {
      Part& end = state.peer ? row.peer : row.local;
      end.kernel = name(state.to);
      end.look = Look::plain;
      end.entered = state.to;
      end.inferred = true;
    }
    row.arrow.push_back(std::move(arrow));
  }

  void fill(Row& row, Part& part, const Item&, const StateEntry& body) {
    part.kernel = fmt::format("{} \u2192 {}", name(body.from), name(body.to));
    part.entered = body.to;
    part.inferred = body.inferred;
    const std::string why = words_.cause(body.cause, body.process);
    const EntryText rendered = words_.render(body);
    if (body.cause.kind == Cause::Kind::call) {
      part.process = why;
      row.note = rendered.details.size() > 1 ? rendered.details[1].text : "";
    } else {
      row.note = joined(rendered.details);
    }
    row.cause = body.cause.id;
  }
  void fill(Row& row, Part& part, const Item&, const OwnerEntry& body) {
    part.process = fmt::format(
        "{} {}", process_text(body.process, true),
        body.fd >= 0 ? fmt::format("still has fd {} open", body.fd) : std::string(owner_words(body.process.source)));
    row.note_look = Look::quiet;
  }
  template <typename Body>
  void fill(Row& row, Part& part, const Item&, const Body& body) {
    const EntryText rendered = words_.render(body);
    part.kernel = rendered.kernel.text;
    part.look = look_of(rendered.kernel.colour);
    row.note = joined(rendered.details);
    row.cause = referred(body);
  }
  // A segment that was dropped where no arrow shows it.
  void fill(Row& row, Part& part, const Item& item, const DropEntry& body) {
    const EntryText rendered = words_.render(body);
    part.kernel = rendered.kernel.text;
    part.look = Look::bad;
    Arrow arrow;
    arrow.out = body.out != item.far;
    arrow.dropped = true;
    arrow.dropped_there = item.far;
    arrow.stroke = body.len != 0                                         ? Stroke::data
                   : (body.flags & (tcp_flag::syn | tcp_flag::fin)) != 0 ? Stroke::control
                                                                         : Stroke::acknowledgement;
    arrow.words = fmt::format("{} seq={}{}{}", flags_text(body.flags), body.rel_seq, body.relative ? "" : " (absolute)",
                              body.len != 0 ? fmt::format(" len={}", body.len) : "");
    arrow.dropped_by = drop_words(body);
    row.arrow.push_back(std::move(arrow));
  }
  template <typename Body>
  static EventId referred(const Body& body) {
    if constexpr (requires { body.segment; }) return body.segment;
    return 0;
  }

  // The arrow that is there already ends at the drop. False: it has none.
  bool mark_dropped(const Item& item, const DropEntry& drop) {
    const auto at = by_id_.find(drop.segment);
    if (drop.segment == 0 || at == by_id_.end()) return false;
    Row& row = ladder_.rows[at->second];
    if (row.arrow.empty() || row.arrow[0].dropped) return false;
    row.arrow[0].dropped = true;
    row.arrow[0].dropped_there = item.far;
    row.arrow[0].dropped_by = drop_words(drop);
    if (row.also == 0) row.also = item.entry->id;
    by_id_[item.entry->id] = at->second;
    return true;
  }

  const Connection& connection_;
  const Connection* peer_;
  TraceWords words_;
  const LadderSettings& settings_;
  std::vector<Item> items_;
  std::vector<EventId> evidence_;
  std::unordered_map<EventId, std::size_t> by_id_;  // row
  TimeNs start_ns_ = 0;
  TimeNs last_ns_ = 0;
  Ladder ladder_;
};

}  // namespace

std::string number_text(const Row& row) {
  return row.also == 0 ? fmt::format("{}", row.id) : fmt::format("{}/{}", row.id, row.also);
}

Ladder lay_out(const Connection& connection, const Connection* peer, const Names& names,
               const LadderSettings& settings) {
  return Layout(connection, peer, names, settings).make();
}

}  // namespace tcpwitness::picture
