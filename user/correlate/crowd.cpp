// SPDX-License-Identifier: Apache-2.0
#include "correlate/crowd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "correlate/witness_impl.hpp"

namespace tcpwitness {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
// Half-open connections that a second must add to be a flood: a busy listener has this many in a round trip.
constexpr std::uint64_t flood_from = 100;

std::uint32_t hash_of(const Address& address, std::uint16_t port) {
  HashWords words{};
  std::memcpy(words.data(), address.bytes.data(), address.bytes.size());
  words[2] = port;
  // Not the process' own key: who reads a recording counts as the run did. No table hangs on it.
  static const HashKey key({0x9e3779b97f4a7c15U, 0xc2b2ae3d27d4eb4fU, 0xd6e8feb86659fd93U, 0xff51afd7ed558ccdU,
                            0xc4ceb9fe1a85ec53U, 0x165667b19e3779f9U, 0x27d4eb2f165667c5U, 0x85ebca77c2b2ae63U});
  return key.hash(words);
}

}  // namespace

void Distinct::add(std::uint32_t hash) {
  const std::uint32_t index = hash >> (32U - index_bits);
  const auto rank = static_cast<std::uint8_t>(std::countl_zero((hash << index_bits) | 1U) + 1);
  ranks_[index] = std::max(ranks_[index], rank);
}

std::uint64_t Distinct::count() const {
  constexpr double registers = 1U << index_bits;
  constexpr double alpha = 0.7213 / (1 + 1.079 / registers);
  double sum = 0;
  double empty = 0;
  for (const std::uint8_t rank : ranks_) {
    sum += std::ldexp(1.0, -rank);
    empty += rank == 0 ? 1 : 0;
  }
  const double raw = alpha * registers * registers / sum;
  const bool few = raw <= 2.5 * registers && empty > 0;
  return static_cast<std::uint64_t>(std::llround(few ? registers * std::log(registers / empty) : raw));
}

void Crowd::add(EventId id, TimeNs ts, const Flow& flow, std::uint64_t count) {
  if (size_ == 0) {
    since_ns_ = ts;
    first_ = flow;
  }
  size_ += count;
  since_ns_ = std::min(since_ns_, ts);
  until_ns_ = std::max(until_ns_, ts);
  evidence_.add(id);
  from_.add(hash_of(flow.remote.address, 0));
  to_.add(hash_of(flow.local.address, flow.local.port));
  const auto end = examples_.begin() + static_cast<std::ptrdiff_t>(examples_count_);
  if (examples_count_ < shown && std::find(examples_.begin(), end, flow.remote.address) == end)
    examples_[examples_count_++] = flow.remote.address;
}

std::string Crowd::from_where_to_where() const {
  const std::uint64_t from = from_.count();
  std::string text = "from ";
  if (examples_count_ < shown || from <= shown) {
    for (std::size_t i = 0; i < examples_count_; ++i) {
      if (i != 0) text += i + 1 == examples_count_ ? " and " : ", ";
      text += to_string(examples_[i]);
    }
  } else {
    text += fmt::format("about {} addresses (", from);
    for (const Address& address : examples_) text += to_string(address) + ", ";
    text += "...)";
  }
  text += " to " + to_string(first_.local);
  if (const std::uint64_t to = to_.count(); to > 1) text += fmt::format(" and about {} other endpoints", to - 1);
  return text;
}

void AskedBySecond::begun(EventId id, TimeNs ts, const Flow& flow) {
  if (!newest_) newest_ = std::make_unique<AskedFor>();
  newest_->crowd.add(id, ts, flow);
}

void AskedBySecond::answered(bool by_cookie) {
  if (newest_) ++(by_cookie ? newest_->cookies : newest_->answered);
}

// Soon behind the SYN; but a neighbour is given up after seconds, which can be too late for this.
void AskedBySecond::answer_dropped(std::uint32_t reason) {
  AskedFor* asked = newest_ ? newest_.get() : before_.get();
  if (asked == nullptr) return;
  add_reason(asked->dropped, reason);
}

void add_reason(ByReason& reasons, std::uint32_t reason, std::uint64_t count) {
  const auto same = std::ranges::find(reasons, reason, &ByReason::value_type::first);
  if (same == reasons.end()) {
    reasons.emplace_back(reason, count);
  } else {
    same->second += count;
  }
}

// Those that began first complete first, as far as one can tell.
void AskedBySecond::count(std::uint64_t AskedFor::* what) {
  if (before_ && before_->completed + before_->refused < before_->crowd.size())
    ++(*before_.*what);
  else if (newest_)
    ++(*newest_.*what);
}

std::optional<AskedFor> AskedBySecond::due(TimeNs now, bool finished) {
  if (before_ && (now - before_->crowd.since() >= 2 * second_ns || finished)) return *std::exchange(before_, nullptr);
  if (newest_ && !before_ && now - newest_->crowd.since() >= second_ns) before_ = std::move(newest_);
  std::unique_ptr<AskedFor>& last = before_ ? before_ : newest_;
  if (last && finished) return *std::exchange(last, nullptr);
  return std::nullopt;
}

void Witness::Impl::note_asked(const Event& e, const Flow& flow) {
  if (settings_.kernel_heard && !filtered_) asked_.begun(e.id, e.ts_ns, flow);
}

void Witness::Impl::report_asked(TimeNs now) {
  while (const auto asked = asked_.due(now, finished_)) judge_asked(*asked, now, false);
  while (const auto asked = passing_asked_.due(now, finished_)) judge_asked(*asked, now, true);
}

// "38 NEIGH_FAILED, 2 NETFILTER_DROP"
std::string Witness::Impl::reasons_text(const ByReason& by_reason) const {
  std::string reasons;
  for (const auto& [reason, count] : by_reason)
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", count, names_.drop_reason(reason));
  return reasons;
}

// "; 40 were dropped on this machine (38 NEIGH_FAILED, 2 NETFILTER_DROP)"
std::string Witness::Impl::dropped_answers(const AskedFor& asked) const {
  std::uint64_t all = 0;
  for (const auto& [reason, count] : asked.dropped) all += count;
  return all == 0 ? "" : fmt::format("; {} were dropped on this machine ({})", all, reasons_text(asked.dropped));
}

void Witness::Impl::judge_asked(const AskedFor& asked, TimeNs now, bool forwarded) {
  const std::uint64_t begun = asked.crowd.size();
  if (begun < asked.completed + asked.refused + flood_from) return;
  Finding finding;
  finding.rule = Rule::syn_flood;
  finding.confidence = gap_until_ns_ >= asked.crowd.since() ? Confidence::inconclusive : Confidence::likely;
  finding.evidence = asked.crowd.evidence();
  const std::string who = asked.crowd.from_where_to_where();
  if (forwarded) {
    finding.text = fmt::format(
        "{} connections were begun through this machine within {:.1f} s, {} completed and {} were refused, {}; {} "
        "SYN-ACKs came back; a SYN flood, or clients whose ACKs do not come",
        begun, asked.crowd.lasted(), asked.completed, asked.refused, who, asked.answered);
  } else {
    finding.text = fmt::format(
        "{} connections were begun within {:.1f} s and {} completed, {}; {} answers of the kernel were seen leaving, "
        "{} of them with a SYN cookie{}; a SYN flood, or clients whose ACKs do not come",
        begun, asked.crowd.lasted(), asked.completed, who, asked.answered + asked.cookies, asked.cookies,
        dropped_answers(asked));
  }
  report(FindingReport{0, now, asked.crowd.first(), std::move(finding)}, 0);
}

void Witness::Impl::add_up(std::unique_ptr<Crowd>& crowd, EventId id, TimeNs ts, const Flow& flow) {
  if (!crowd) crowd = std::make_unique<Crowd>();
  crowd->add(id, ts, flow);
}

// Those of a second that were not reported one by one.
void Witness::Impl::report_crowd(std::unique_ptr<Crowd>& crowd, TimeNs now, Rule rule, std::string_view which,
                                 std::string_view what) {
  if (!crowd || (now - crowd->since() < second_ns && !finished_)) return;
  const Crowd more = *std::exchange(crowd, nullptr);
  Finding finding;
  finding.rule = rule;
  finding.confidence = gap_until_ns_ >= more.since() ? Confidence::inconclusive : Confidence::likely;
  finding.evidence = more.evidence();
  finding.text = fmt::format("{} more {} within {:.1f} s {}, {}", more.size(), which, more.lasted(), what,
                             more.from_where_to_where());
  report(FindingReport{0, now, more.first(), std::move(finding)}, 0);
}

void Witness::Impl::report_crowds(TimeNs now) {
  report_asked(now);
  report_crowd(more_strays_, now, Rule::stray_segment, "segments", "fit no connection here");
  report_turned_away(now);
  report_crowd(more_refused_, now, Rule::reset_origin, "connections through this machine", "were refused by a RST");
}

// A connection of which only its beginning is known; forwarded: one that never came about.
bool Witness::Impl::only_half_open(const Connection& c) const {
  if (c.passage()) return never_open(c);
  const bool begun = c.state == TcpState::unknown || c.state == TcpState::new_syn_recv;
  return settings_.kernel_heard && c.role == Role::passive && !c.established && begun;
}

}  // namespace tcpwitness
