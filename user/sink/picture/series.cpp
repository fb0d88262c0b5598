// SPDX-License-Identifier: Apache-2.0
#include "sink/picture/series.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tcpwitness::picture {
namespace {

std::int64_t us_since(TimeNs now, const Life& life) { return (now - life.start_ts_ns) / 1000; }

// Each text once; a column has numbers.
class Words {
 public:
  std::size_t number_of(const std::string& text) {
    const auto [at, is_new] = numbers_.try_emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return at->second;
  }
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> texts_;
};

template <typename List, typename Of>
void column(JsonWriter& json, std::string_view name, const List& list, Of of) {
  json.key(name);
  json.begin_array();
  for (const auto& each : list) {
    if constexpr (requires { *of(each); }) {
      const auto value = of(each);
      value ? json.value(*value) : json.null();
    } else {
      json.value(of(each));
    }
  }
  json.end_array();
}

// Why it was sent again, of the words beside a segment; the others are about what else it is.
std::string_view cause_among(const std::vector<std::string_view>& words) {
  constexpr std::array<std::string_view, 6> causes{"fast retransmission", "RTO",     "zero-window RTO", "loss recovery",
                                                   "tail-loss probe",     "path MTU"};
  for (const std::string_view word : words) {
    if (std::ranges::find(causes, word) != causes.end()) return word;
  }
  return {};
}

struct Seen {
  const Entry* entry;
  const SegmentEntry* segment;
  std::size_t words = 0;
};

// Of each segment the blocks that its SACK option has; the column is there where one has any.
void put_sack(JsonWriter& json, const std::vector<Seen>& seen) {
  const auto blocks = [](const Seen& one) { return one.segment->segment.sack.count; };
  if (std::ranges::all_of(seen, [&](const Seen& one) { return blocks(one) == 0; })) return;
  json.key("sack");
  json.begin_array();
  for (const Seen& one : seen) {
    const std::uint32_t base = one.segment->segment.ack - one.segment->rel_ack;
    json.begin_array();
    for (std::size_t i = 0; i < std::min<std::size_t>(blocks(one), 4); ++i) {
      json.begin_array();
      for (const std::uint32_t edge : one.segment->segment.sack.edges[i]) json.value(edge - base);
      json.end_array();
    }
    json.end_array();
  }
  json.end_array();
}

void put_segments(JsonWriter& json, const Connection& connection) {
  // Why it was sent again, by the segment that left: the kernel's word, else the wire's.
  std::unordered_map<EventId, std::string_view> causes;
  std::vector<Seen> seen;
  Words words;
  for (const Entry& entry : connection.entries) {
    const auto* again = std::get_if<RetransmitEntry>(&entry.body);
    if (again != nullptr && again->segment != 0 && again->cause != RetransmitKind::unknown)
      causes[again->segment] = name(again->cause);
  }
  for (const Entry& entry : connection.entries) {
    const auto* segment = std::get_if<SegmentEntry>(&entry.body);
    if (segment == nullptr || !segment->relative) continue;
    std::string text;
    for (const std::string_view word : segment->analysis) (text += text.empty() ? "" : ", ") += word;
    if (const auto cause = causes.find(entry.id); cause != causes.end() && !text.contains(cause->second))
      (text += text.empty() ? "" : ", ") += cause->second;
    if (const std::string_view cause = cause_among(segment->analysis); !cause.empty())
      causes.try_emplace(entry.id, cause);
    seen.push_back({&entry, segment, words.number_of(text)});
  }
  json.key("segments");
  json.begin_object();
  column(json, "id", seen, [](const Seen& one) { return one.entry->id; });
  column(json, "t_us", seen, [&](const Seen& one) { return us_since(one.entry->ts_ns, connection.life); });
  column(json, "out", seen, [](const Seen& one) { return one.segment->segment.outgoing() ? 1 : 0; });
  column(json, "rel_seq", seen, [](const Seen& one) { return one.segment->rel_seq; });
  column(json, "len", seen, [](const Seen& one) { return one.segment->segment.len; });
  column(json, "rel_ack", seen, [](const Seen& one) { return one.segment->rel_ack; });
  column(json, "win_bytes", seen, [](const Seen& one) { return one.segment->window_bytes; });
  column(json, "flags", seen, [](const Seen& one) { return one.segment->segment.flags; });
  column(json, "words", seen, [](const Seen& one) { return one.words; });
  put_sack(json, seen);
  column(json, "texts", words.texts(), [](const std::string& text) { return std::string_view(text); });
  json.key("causes");
  json.begin_object();
  for (const Seen& one : seen) {
    if (const auto cause = causes.find(one.entry->id); cause != causes.end())
      json.field(std::to_string(one.entry->id), cause->second);
  }
  json.end_object();
  json.end_object();
}

// What the kernel's control block was, where an event has it.
void put_kernel(JsonWriter& json, const Connection& connection) {
  struct Known {
    TimeNs ts_ns;
    const ControlBlock* cb;
  };
  std::vector<Known> known;
  for (const Entry& entry : connection.entries) {
    const auto* state = std::get_if<StateEntry>(&entry.body);
    if (state == nullptr || !state->cb || !was_read(*state->cb)) continue;
    known.push_back({entry.ts_ns, &*state->cb});
  }
  if (known.empty()) return;
  json.key("kernel");
  json.begin_object();
  column(json, "t_us", known, [&](const Known& one) { return us_since(one.ts_ns, connection.life); });
  column(json, "srtt_us", known, [](const Known& one) { return one.cb->srtt_us; });
  column(json, "rto_us", known, [](const Known& one) { return one.cb->rto_us; });
  column(json, "cwnd_segments", known, [](const Known& one) { return one.cb->snd_cwnd; });
  column(json, "mss", known, [](const Known& one) { return one.cb->mss; });
  column(json, "in_flight_bytes", known, [](const Known& one) { return one.cb->snd_nxt - one.cb->snd_una; });
  json.end_object();
}

void put_samples(JsonWriter& json, const Connection& connection) {
  if (connection.samples.empty()) return;
  const auto sample_of = [](const Entry& entry) -> const Sample& { return std::get<SampleEntry>(entry.body).sample; };
  const auto of = [&](std::string_view key, auto field) {
    column(json, key, connection.samples, [&](const Entry& entry) { return field(sample_of(entry)); });
  };
  const auto known = [](auto value, bool is_known) { return is_known ? std::optional(value) : std::nullopt; };
  json.key("samples");
  json.begin_object();
  column(json, "id", connection.samples, [](const Entry& entry) { return entry.id; });
  column(json, "t_us", connection.samples, [&](const Entry& entry) { return us_since(entry.ts_ns, connection.life); });
  of("srtt_us", [](const Sample& sample) { return sample.srtt_us; });
  of("rto_us", [](const Sample& sample) { return sample.rto_us; });
  of("cwnd_segments", [](const Sample& sample) { return sample.snd_cwnd; });
  of("ssthresh_segments",
     [&](const Sample& sample) { return known(sample.snd_ssthresh, sample.snd_ssthresh != no_ssthresh); });
  of("mss", [](const Sample& sample) { return sample.mss; });
  of("in_flight_bytes", [](const Sample& sample) { return sample.snd_nxt - sample.snd_una; });
  of("snd_wnd_bytes", [](const Sample& sample) { return sample.snd_wnd; });
  of("delivery_rate_bytes_s",
     [&](const Sample& sample) { return known(sample.delivery_rate, sample.delivery_rate != 0); });
  json.end_object();
}

}  // namespace

void put_series(JsonWriter& json, const Connection& connection) {
  put_segments(json, connection);
  put_kernel(json, connection);
  put_samples(json, connection);
}

}  // namespace tcpwitness::picture
