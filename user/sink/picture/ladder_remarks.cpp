// SPDX-License-Identifier: Apache-2.0
// ladder_remarks.cpp: see ladder_remarks.hpp.
#include "sink/picture/ladder_remarks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sink/format.hpp"

namespace tcpwitness::picture {
namespace {

constexpr double remark_line = 14;
constexpr double remark_padding = 10;
constexpr std::size_t remark_columns = 44;

// The text in lines of so many columns, broken at spaces.
std::vector<std::string> broken(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t length = columns(word);
    if (used != 0 && used + 1 + length > width) {
      lines.emplace_back();
      used = 0;
    }
    if (used != 0) lines.back() += ' ';
    lines.back() += word;
    used += length + (used != 0 ? 1 : 0);
  }
  return lines;
}

// This end's, and those of the other end that are not the same.
std::vector<FindingReport> findings_of(const Connection& connection, const Connection* peer) {
  std::vector<FindingReport> all = connection.findings;
  if (peer != nullptr) {
    for (const FindingReport& other : peer->findings) {
      const bool again = std::ranges::any_of(connection.findings, [&](const FindingReport& own) {
        return own.finding.rule == other.finding.rule && sentence(own.finding) == sentence(other.finding);
      });
      if (!again) all.push_back(other);
    }
  }
  return all;
}

Remark remark_of(const Finding& finding) {
  Remark remark;
  remark.rule = finding.rule;
  remark.confidence = finding.confidence;
  remark.evidence = finding.evidence;
  remark.lines = broken(printable(sentence(finding), true), remark_columns);
  if (finding.more_evidence != 0)
    remark.lines.push_back(fmt::format("({} more events)", grouped(finding.more_evidence)));
  remark.height = remark_padding + remark_line * static_cast<double>(remark.lines.size() + 1);
  return remark;
}

}  // namespace

void add_remarks(Ladder& ladder, const Connection& connection, const Connection* peer,
                 const std::unordered_map<EventId, double>& tops) {
  std::vector<Remark> remarks;
  for (const FindingReport& report : findings_of(connection, peer)) {
    Remark remark = remark_of(report.finding);
    remark.y = ladder.height;
    for (const EventId id : report.finding.evidence) {
      if (const auto at = tops.find(id); at != tops.end()) remark.y = std::min(remark.y, at->second);
    }
    remarks.insert(std::ranges::upper_bound(remarks, remark.y, {}, &Remark::y), std::move(remark));
  }
  double free_from = 0;
  for (Remark& remark : remarks) {
    remark.y = std::max(remark.y, free_from);
    free_from = remark.y + remark.height + 6;
  }
  ladder.height = std::max(ladder.height, free_from);
  ladder.remarks = std::move(remarks);
}

}  // namespace tcpwitness::picture
