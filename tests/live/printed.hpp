// SPDX-License-Identifier: Apache-2.0
//
// What a tracer reported in one run, read back from its NDJSON, and the words tests compare it in. A transition reads
//   "SYN_SENT > ESTABLISHED: in SYN,ACK 0 1"      the segment that caused it, with relative seq and ack
//   "ESTABLISHED > FIN_WAIT1: close"              the call that did (or the timer)
// and a segment reads "out SYN 0 -". No address, port or time is in them: a test states the situation's course.

#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/played.hpp"

namespace tcpwitness::live {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

class Printed {
 public:
  Printed() = default;
  // Lines that are no JSON object are kept in `broken()`.
  explicit Printed(std::string_view ndjson);

  const std::vector<Json>& all() const { return lines_; }
  const Words& broken() const { return broken_; }
  std::vector<Json> of(std::string_view type) const;
  std::vector<Json> of(std::string_view type, const Json& conn) const;
  // {} where there is none.
  Json ready() const;
  std::vector<Json> hooks() const;  // of ready
  Json summary() const;
  // The life with these ends (as this host sees them), or the only one; {} if there is none or more than one.
  Json life(const lab::Endpoint& local, const lab::Endpoint& remote) const;
  // Every entry that has an id: events; a segment and the transition inferred from it share theirs.
  std::vector<Json> events_with(const Json& id) const;

  // In the words above.
  Words transitions(const Json& conn) const;
  // Those with SYN, FIN or RST.
  Words control_segments(const Json& conn) const;
  // Those with Wireshark's word (or part of it): "keep-alive", "retransmission".
  std::vector<Json> analysed(const Json& conn, std::string_view word) const;
  // The kernel's, without attempts that it put off as the copy before still waited on this machine: those are load.
  std::vector<Json> retransmissions(const Json& conn) const;
  std::vector<Json> findings(const Json& conn, std::string_view rule) const;
  // "rule confidence" of a connection's findings.
  std::set<std::string> findings(const Json& conn) const;
  // A transition came so long after its segment that the finding `late` is right: the machine was busy.
  bool kernel_was_late(const Json& conn) const;
  // Every process id that any entry of the connection names.
  std::set<int64_t> pids(const Json& conn) const;

 private:
  std::vector<Json> lines_;
  Words broken_;
};

std::string in_words(const Json& segment);
// Everything, one short line an entry: what a failed test prints.
std::string digest(const Printed& printed);

}  // namespace tcpwitness::live
