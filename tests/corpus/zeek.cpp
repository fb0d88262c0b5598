// SPDX-License-Identifier: Apache-2.0
// Every TCP connection of Zeek's own baselines: its state and its bytes each way, against ours.
//
// MAPPING.tsv has which capture a conn.log was made of, and by which command: a filter in it, the checksums that it
// heeds and the timers that it has are heeded here too. What still differs is explained where it is counted
// (docs/wire-analysis.md).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "capture/capture_file.hpp"
#include "capture/filter.hpp"
#include "capture/tcp_frames.hpp"
#include "corpus/corpus.hpp"
#include "tcpwitness/pipeline.hpp"
#include "wire/conversations.hpp"

namespace tcpwitness::testing {
namespace {

struct Reading {
  std::string capture;
  std::string filter;
  bool checksums = true;  // segments with bad ones are ignored
  bool timers = true;     // conversations end by the clock too
};

// The one of several commands that reads this capture: its filter.
std::string filter_of(const std::string& commands, const std::string& capture) {
  std::string name = capture.substr(capture.find('/') + 1);
  for (std::size_t mark = name.find("__"); mark != std::string::npos; mark = name.find("__"))
    name.replace(mark, 2, "/");
  const std::size_t at = commands.find(name);
  if (at == std::string::npos) return "";
  const std::size_t begin = commands.rfind(";;", at);
  const std::size_t end = commands.find(";;", at);
  const std::size_t from = begin == std::string::npos ? 0 : begin;
  const std::string command = commands.substr(from, end == std::string::npos ? end : end - from);
  // -f 'EXPRESSION', or -f ""EXPRESSION"" as a table of values has it.
  const std::size_t option = command.find("-f ");
  if (option == std::string::npos) return "";
  const std::size_t first = command.find_first_not_of("\"' ", option + 3);
  return command.substr(first, command.find_first_of("\"'", first) - first);
}

std::vector<Life> lives_of(const Reading& run) {
  std::vector<Life> lives;
  auto file = CaptureFile::open(capture_path(run.capture));
  if (!file) {
    ADD_FAILURE() << file.error().message();
    return lives;
  }
  std::unique_ptr<PacketFilter> filter;
  if (!run.filter.empty()) filter = std::move(*PacketFilter::compile(run.filter));
  TcpFrames frames;
  frames.check_checksums(run.checksums, LeftToCard::wrong);
  ConversationSettings conversation_settings;
  if (run.timers) conversation_settings.expiry = Expiry::zeek();
  Conversations conversations(conversation_settings);
  CorrelatorSettings settings;
  settings.capture = true;
  settings.has_kernel = false;
  const Names names;
  Correlator correlator(settings, names);
  std::vector<Event> events;
  Reports reports;
  CaptureBlock block;
  TcpFrame tcp;
  while ((*file)->next(block)) {
    if (filter && !filter->matches(block)) continue;
    if (!frames.parse(block, tcp) || (run.checksums && tcp.bad_checksum)) continue;
    conversations.observe(tcp, events);
  }
  conversations.finish(events);
  for (const Event& event : events) correlator.feed(event, reports);
  correlator.finish(0, reports);
  for (Report& report : reports) {
    if (auto* life = std::get_if<Life>(&report)) lives.push_back(std::move(*life));
  }
  return lives;
}

// What a connection is called when originator and responder change places. (RSTOS0 needs the SYN, and there it is sure
// who is who; a RST of an originator without one is OTH.)
std::string mirrored(const Life& life) {
  constexpr std::uint8_t rst = 32;  // of tcp.completeness
  const std::string_view state = life.zeek_state;
  if (state == "OTH" && (life.conversation->completeness & rst) != 0) return "RSTRH";
  static const std::map<std::string_view, std::string_view> other{
      {"RSTO", "RSTR"}, {"RSTR", "RSTO"}, {"RSTRH", "OTH"}, {"S2", "S3"}, {"S3", "S2"}, {"SH", "SHR"}, {"SHR", "SH"}};
  const auto found = other.find(state);
  return std::string(found == other.end() ? state : found->second);
}

struct Connection {
  std::string originator;
  std::string responder;
  std::string state;
  std::string orig_bytes;
  std::string resp_bytes;

  [[nodiscard]] std::string words() const {
    return fmt::format("{} > {} {} {} {}", originator, responder, state, orig_bytes, resp_bytes);
  }
};

std::vector<Connection> zeeks(const std::filesystem::path& log) {
  std::vector<Connection> connections;
  std::ifstream file(log);
  std::map<std::string, std::size_t, std::less<>> columns;
  std::string line;
  while (std::getline(file, line)) {
    std::vector<std::string> fields;
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
      end = line.find('\t', begin);
      fields.push_back(line.substr(begin, end - begin));
    }
    if (fields[0] == "#fields") {
      for (std::size_t i = 1; i < fields.size(); ++i) columns[fields[i]] = i - 1;
      continue;
    }
    if (line.starts_with('#')) continue;
    // Some baselines rename or group their columns; the order is always the same.
    if (!columns.contains("id.orig_h") && columns.contains("proto") && columns["proto"] >= 4) {
      const std::size_t proto = columns["proto"];
      columns["id.orig_h"] = proto - 4;
      columns["id.orig_p"] = proto - 3;
      columns["id.resp_h"] = proto - 2;
      columns["id.resp_p"] = proto - 1;
    }
    const auto field = [&](std::string_view name) {
      const auto found = columns.find(name);
      return found == columns.end() || found->second >= fields.size() ? std::string() : fields[found->second];
    };
    if (field("proto") != "tcp" || field("orig_bytes").empty()) continue;
    const auto end = [&](std::string_view side) {
      const std::string ip = field(fmt::format("id.{}_h", side));
      const bool six = ip.find(':') != std::string::npos;
      return fmt::format("{}{}{}:{}", six ? "[" : "", ip, six ? "]" : "", field(fmt::format("id.{}_p", side)));
    };
    connections.push_back({end("orig"), end("resp"), field("conn_state"), field("orig_bytes"), field("resp_bytes")});
  }
  return connections;
}

// Zeek has the bytes of what lasted, and one frame does not.
Connection as_zeek(const Life& life, const std::string& originator) {
  const ConversationTotals& totals = *life.conversation;
  const std::string local = to_string(life.flow.local);
  const std::string remote = to_string(life.flow.remote);
  const bool lasted = totals.out.frames + totals.in.frames > 1;
  const std::string out = lasted ? std::to_string(totals.out.sequence_bytes) : "-";
  const std::string in = lasted ? std::to_string(totals.in.sequence_bytes) : "-";
  if (local == originator) return {local, remote, std::string(life.zeek_state), out, in};
  return {remote, local, mirrored(life), in, out};
}

bool same_pair(const Life& life, const Connection& theirs) {
  const std::string local = to_string(life.flow.local);
  const std::string remote = to_string(life.flow.remote);
  return (local == theirs.originator && remote == theirs.responder) ||
         (local == theirs.responder && remote == theirs.originator);
}

// What a baseline's script or command does to what Zeek hears; "" for nothing.
std::string_view script_effect(const std::string& baseline) {
  static const std::map<std::string_view, std::string_view> effects{
      {"core.pcap.dynamic-filter/conn.log", "its script changes the capture filter on the way"},
      {"scripts.base.frameworks.netcontrol.packetfilter/conn.log", "its script has packets filtered out on the way"},
      {"scripts.base.protocols.ftp.gridftp/conn.log", "its script stops looking at GridFTP data"}};
  const auto found = effects.find(baseline);
  return found == effects.end() ? "" : found->second;
}

// The script of this one has more timers due than Zeek looks at, so that no conversation ends by the clock.
bool has_timers(const std::string& baseline) { return baseline != "core.expire-all-timers/conn-limited.log"; }

TEST(Zeek, SaysTheSameOfItsBaselines) {
  TCPWITNESS_NEED_CORPUS();
  const Table mapping = Table::read(corpus_directory() / "zeek" / "MAPPING.tsv");
  std::size_t equal = 0;
  std::size_t explained = 0;
  std::size_t all = 0;
  for (std::size_t row = 0; row < mapping.rows(); ++row) {
    const std::string& baseline = mapping.at(row, "baseline");
    const std::string& capture = mapping.at(row, "capture");
    const Reading run{capture, filter_of(mapping.at(row, "zeek_commands"), capture),
                      mapping.at(row, "checksums_ignored(-C)") == "no", has_timers(baseline)};
    const std::vector<Life> lives = lives_of(run);
    std::vector<bool> taken(lives.size());
    const std::vector<Connection> connections = zeeks(corpus_directory() / "zeek" / baseline);
    for (const Connection& theirs : connections) {
      ++all;
      std::string ours = "nothing";
      for (std::size_t i = 0; i < lives.size(); ++i) {
        if (taken[i] || !same_pair(lives[i], theirs)) continue;
        taken[i] = true;
        ours = as_zeek(lives[i], theirs.originator).words();
        break;
      }
      if (ours == theirs.words()) {
        ++equal;
        continue;
      }
      const std::string_view why = script_effect(baseline);
      explained += why.empty() ? 0 : 1;
      fmt::print("{}: Zeek has {}, we have {}: {}\n", baseline, theirs.words(), ours,
                 why.empty() ? "UNEXPLAINED" : why);
    }
  }
  fmt::print("{} of {} connections are as Zeek has them, {} differ as explained\n", equal, all, explained);
  EXPECT_GT(all, 0U);
  EXPECT_EQ(equal + explained, all);
  EXPECT_GE(static_cast<double>(equal), 0.98 * static_cast<double>(all));
}

}  // namespace
}  // namespace tcpwitness::testing
