// SPDX-License-Identifier: Apache-2.0
// Every segment of every capture in Wireshark's terms, and every conversation's totals: against tshark.
//
// Prints the agreement for each flag and each file. Required are precision and recall of 0.98 for each flag with 20
// occurrences or more, and equal totals for every conversation. "Explained" are the places where we differ on purpose
// (docs/wire-analysis.md): what tshark calls keep-alive, sent into a closed window or no keep-alive by its numbers;
// packets that a capture has twice, and what tshark makes of them later; what is behind a segment that its receiver
// refused.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "capture/capture_file.hpp"
#include "capture/tcp_frames.hpp"
#include "corpus/corpus.hpp"
#include "wire/conversations.hpp"

namespace tcpwitness::testing {
namespace {

constexpr std::array<std::string_view, analysis_flag::count> columns{
    "retransmission",   "fast_retransmission", "spurious_retransmission",
    "out_of_order",     "duplicate_ack",       "lost_segment",
    "ack_lost_segment", "keep_alive",          "keep_alive_ack",
    "zero_window",      "zero_window_probe",   "zero_window_probe_ack",
    "window_full",      "window_update",       "reused_ports"};

struct Agreement {
  std::uint64_t both = 0;
  std::uint64_t ours = 0;    // only
  std::uint64_t theirs = 0;  // only
  std::uint64_t explained = 0;

  void add(const Agreement& other) {
    both += other.both;
    ours += other.ours;
    theirs += other.theirs;
    explained += other.explained;
  }
  [[nodiscard]] std::uint64_t occurrences() const { return both + theirs; }
  [[nodiscard]] double precision() const { return ratio(both, both + ours); }
  [[nodiscard]] double recall() const { return ratio(both, both + theirs); }

 private:
  static double ratio(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};
using Agreements = std::array<Agreement, analysis_flag::count>;

std::uint64_t number(const std::string& text) { return text.empty() ? 0 : std::stoull(text, nullptr, 0); }

struct Seen {
  Analysis analysis;
  std::uint64_t stream = 0;
};

struct Conversed {
  std::map<std::uint64_t, Seen> frames;            // by number
  std::map<std::uint64_t, ConversationEnd> ended;  // by stream
};

// The frames that tshark takes for TCP (frames.cpp compares which); it leaves TCP in unusual Teredo as data.
Conversed converse(const std::string& capture) {
  Conversed result;
  auto file = CaptureFile::open(capture_path(capture));
  if (!file) {
    ADD_FAILURE() << file.error().message();
    return result;
  }
  std::set<std::uint64_t> known;
  const Table table = Table::read(verdict_path(capture, ".packets.tsv"));
  for (std::size_t row = 0; row < table.rows(); ++row) known.insert(number(table.at(row, "frame.number")));
  TcpFrames frames;
  Conversations conversations({});
  std::vector<Event> events;
  CaptureBlock block;
  TcpFrame tcp;
  while ((*file)->next(block)) {
    if (!frames.parse(block, tcp) || !known.contains(tcp.number)) continue;
    conversations.observe(tcp, events);
    result.frames[tcp.number] = {conversations.analysis(), conversations.stream()};
  }
  conversations.finish(events);
  for (const Event& event : events) {
    if (const auto* end = std::get_if<ConversationEnd>(&event.body)) result.ended[end->totals.stream] = *end;
  }
  return result;
}

// The newest windows and probes of one conversation, from tshark's columns: what the explanation rests on.
class Explanation {
 public:
  // Why flag `bit` may differ here, by the segments before this one.
  [[nodiscard]] bool covers(unsigned bit, bool from_first) const {
    const unsigned sender = from_first ? 0 : 1;
    const bool closed = window_[sender ^ 1U] == 0;
    if ((1U << bit) == analysis_flag::keep_alive || (1U << bit) == analysis_flag::zero_window_probe) return closed;
    return (1U << bit) == analysis_flag::zero_window_probe_ack && probed_[sender ^ 1U];
  }
  void note(bool from_first, std::uint64_t window, bool keep_alive) {
    const unsigned sender = from_first ? 0 : 1;
    probed_[sender] = keep_alive && window_[sender ^ 1U] == 0;
    window_[sender] = window;
  }

 private:
  std::array<std::uint64_t, 2> window_{1, 1};
  std::array<bool, 2> probed_{};
};

Agreements compare(const std::string& capture) {
  Agreements agreements;
  const Conversed mine = converse(capture);
  const Table table = Table::read(verdict_path(capture, ".packets.tsv"));
  std::map<std::string, std::pair<std::string, Explanation>> streams;  // by stream: the first sender's port
  std::map<std::uint64_t, double> newest;                              // time of each stream's newest frame
  std::set<std::uint64_t> apart;                                       // streams in which tshark counts what we do not
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (table.last(row, "tcp.seq_raw").empty()) continue;  // quoted by an ICMP error
    const std::string sender = table.last(row, "ip.src") + table.last(row, "ipv6.src") + table.last(row, "tcp.srcport");
    auto& [first, explanation] =
        streams.try_emplace(table.last(row, "tcp.stream"), sender, Explanation{}).first->second;
    const bool from_first = sender == first;
    const std::uint64_t frame = number(table.at(row, "frame.number"));
    const auto found = mine.frames.find(frame);
    if (found == mine.frames.end()) {
      ADD_FAILURE() << capture << ", frame " << frame << ": not taken for TCP";
      continue;
    }
    EXPECT_EQ(found->second.stream, number(table.last(row, "tcp.stream"))) << capture << ", frame " << frame;
    const Analysis& analysis = found->second.analysis;
    if (analysis.duplicate_frame || analysis.refused) apart.insert(found->second.stream);
    const bool counts_differ = apart.contains(found->second.stream);
    // Too soon for any keep-alive timer, and by its numbers none.
    const double now = std::stod(table.at(row, "frame.time_epoch"));
    const bool prompt = !table.at(row, "tcp.analysis.keep_alive").empty() && now - newest[found->second.stream] < 1;
    newest[found->second.stream] = now;
    for (unsigned bit = 0; bit < columns.size(); ++bit) {
      const bool theirs = !table.at(row, fmt::format("tcp.analysis.{}", columns[bit])).empty();
      const bool ours = (analysis.flags >> bit & 1U) != 0;
      Agreement& agreement = agreements[bit];
      if (theirs && ours) ++agreement.both;
      if (theirs == ours) continue;
      // tshark ends its work on a header that the capture cuts off before its analysis begins.
      const bool cut_off = table.last(row, "tcp.len").empty();
      if (cut_off || counts_differ || prompt || explanation.covers(bit, from_first)) {
        ++agreement.explained;
        continue;
      }
      ++(ours ? agreement.ours : agreement.theirs);
      fmt::print("differs: {}, frame {}: {} says {}\n", capture, frame, ours ? "tcpwitness" : "tshark", columns[bit]);
    }
    if (const std::uint64_t duplicate = number(table.last(row, "tcp.analysis.duplicate_ack_num"));
        duplicate != 0 && !counts_differ && analysis.duplicate_ack != 0) {
      EXPECT_EQ(analysis.duplicate_ack, duplicate) << capture << ", frame " << frame;
    }
    const bool keep_alive = !table.at(row, "tcp.analysis.keep_alive").empty();
    explanation.note(from_first, number(table.last(row, "tcp.window_size_value")), keep_alive);
  }
  return agreements;
}

TEST(Analysis, AgreesWithTsharkOnEveryFlag) {
  TCPWITNESS_NEED_CORPUS();
  Agreements all;
  for (const std::string& capture : captures_with(".packets.tsv")) {
    const Agreements agreements = compare(capture);
    Agreement sum;
    for (unsigned bit = 0; bit < columns.size(); ++bit) {
      all[bit].add(agreements[bit]);
      sum.add(agreements[bit]);
    }
    fmt::print("{:6} flags agree, {:3} only ours, {:3} only tshark's, {:3} explained  {}\n", sum.both, sum.ours,
               sum.theirs, sum.explained, capture);
  }
  fmt::print("\n{:24} {:>7} {:>6} {:>6} {:>9} {:>9} {:>7}\n", "flag", "both", "ours", "theirs", "explained",
             "precision", "recall");
  for (unsigned bit = 0; bit < columns.size(); ++bit) {
    const Agreement& a = all[bit];
    fmt::print("{:24} {:7} {:6} {:6} {:9} {:9.4f} {:7.4f}\n", columns[bit], a.both, a.ours, a.theirs, a.explained,
               a.precision(), a.recall());
    if (a.occurrences() < 20) continue;
    EXPECT_GE(a.precision(), 0.98) << columns[bit];
    EXPECT_GE(a.recall(), 0.98) << columns[bit];
  }
}

std::string words(const StreamTotals& totals) {
  return fmt::format("{} frames, {} bytes, {} of payload", totals.frames, totals.frame_bytes, totals.payload_bytes);
}

// streams.tsv also counts the headers that ICMP errors quote; tshark's own conversation table does not.
using Quoted = std::map<std::string, StreamTotals>;  // by stream and the quoted sender's port

Quoted quoted_in(const std::string& capture) {
  Quoted quoted;
  const Table table = Table::read(verdict_path(capture, ".packets.tsv"));
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (!table.last(row, "tcp.seq_raw").empty()) continue;
    StreamTotals& totals = quoted[table.last(row, "tcp.stream") + "/" + table.last(row, "tcp.srcport")];
    ++totals.frames;
    totals.frame_bytes += number(table.at(row, "frame.len"));
  }
  return quoted;
}

StreamTotals side_of(const Table& table, std::size_t row, char side, const Quoted& quoted) {
  const auto column = [&](std::string_view name) { return number(table.at(row, fmt::format("{}_{}", side, name))); };
  StreamTotals totals;
  totals.frames = column("pkts");
  totals.frame_bytes = column("frame_bytes");
  totals.payload_bytes = column("payload_bytes");
  const auto found = quoted.find(table.at(row, "stream") + "/" + table.at(row, fmt::format("{}_port", side)));
  if (found == quoted.end()) return totals;
  totals.frames -= found->second.frames;
  totals.frame_bytes -= found->second.frame_bytes;
  return totals;
}

TEST(Totals, OfEveryConversationAreTsharks) {
  TCPWITNESS_NEED_CORPUS();
  std::size_t equal = 0;
  std::size_t all = 0;
  for (const std::string& capture : captures_with(".streams.tsv")) {
    const Conversed mine = converse(capture);
    const Table table = Table::read(verdict_path(capture, ".streams.tsv"));
    const Quoted quoted = quoted_in(capture);
    for (std::size_t row = 0; row < table.rows(); ++row) {
      ++all;
      const auto found = mine.ended.find(number(table.at(row, "stream")));
      if (found == mine.ended.end()) {
        ADD_FAILURE() << capture << ": no stream " << table.at(row, "stream");
        continue;
      }
      const ConversationEnd& end = found->second;
      const bool a_is_local = number(table.at(row, "A_port")) == end.flow.local.port &&
                              (table.at(row, "A") == to_string(end.flow.local.address) ||
                               table.at(row, "A") != to_string(end.flow.remote.address));
      const std::string a = words(side_of(table, row, 'A', quoted));
      const std::string b = words(side_of(table, row, 'B', quoted));
      const bool same = words(a_is_local ? end.totals.out : end.totals.in) == a &&
                        words(a_is_local ? end.totals.in : end.totals.out) == b;
      // In a single pass tshark shows the completeness before the last frame.
      const std::uint64_t completeness = number(table.at(row, "tcp.completeness"));
      EXPECT_EQ(completeness & ~std::uint64_t{end.totals.completeness}, 0U) << capture << ", stream " << row;
      equal += same ? 1 : 0;
      if (same) continue;
      ADD_FAILURE() << capture << ", stream " << table.at(row, "stream") << ": tshark has " << a << " and " << b
                    << "; we have " << words(end.totals.out) << " and " << words(end.totals.in);
    }
    EXPECT_EQ(mine.ended.size(), table.rows()) << capture;
  }
  fmt::print("{} of {} conversations have tshark's totals\n", equal, all);
  EXPECT_GT(all, 0U);
}

// payload = sent again + range - missing, whatever was captured.
TEST(Totals, OfBytesAddUp) {
  TCPWITNESS_NEED_CORPUS();
  for (const std::string& capture : captures_with(".streams.tsv")) {
    for (const auto& [stream, end] : converse(capture).ended) {
      for (const StreamTotals& t : {end.totals.out, end.totals.in}) {
        EXPECT_EQ(t.payload_bytes + t.missing_bytes, t.retransmitted_bytes + t.sequence_bytes + t.duplicate_bytes)
            << capture << ", stream " << stream;
      }
    }
  }
}

}  // namespace
}  // namespace tcpwitness::testing
