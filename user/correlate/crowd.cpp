// SPDX-License-Identifier: Apache-2.0
#include "correlate/crowd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "correlate/correlator_impl.hpp"

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

void AttemptsBySecond::begun(EventId id, TimeNs ts, const Flow& flow) {
  if (!newest_) newest_ = std::make_unique<Attempts>();
  newest_->crowd.add(id, ts, flow);
}

void AttemptsBySecond::answered(bool by_cookie) {
  if (newest_) ++(by_cookie ? newest_->cookies : newest_->answered);
}

// Soon behind the SYN; but a neighbour is given up after seconds, which can be too late for this.
void AttemptsBySecond::answer_dropped(std::uint32_t reason) {
  Attempts* attempts = newest_ ? newest_.get() : before_.get();
  if (attempts == nullptr) return;
  add_reason(attempts->dropped, reason);
}

void add_reason(ByReason& reasons, std::uint32_t reason, std::uint64_t count) {
  const auto same = std::ranges::find(reasons, reason, &ByReason::value_type::first);
  if (same == reasons.end()) {
    reasons.emplace_back(reason, count);
  } else {
    same->second += count;
  }
}

// Those that began first complete first, as far as is known.
void AttemptsBySecond::count(std::uint64_t Attempts::* what) {
  if (before_ && before_->completed + before_->refused < before_->crowd.size())
    ++(*before_.*what);
  else if (newest_)
    ++(*newest_.*what);
}

std::optional<Attempts> AttemptsBySecond::due(TimeNs now, bool finished) {
  if (before_ && (now - before_->crowd.since() >= 2 * second_ns || finished)) return *std::exchange(before_, nullptr);
  if (newest_ && !before_ && now - newest_->crowd.since() >= second_ns) before_ = std::move(newest_);
  std::unique_ptr<Attempts>& last = before_ ? before_ : newest_;
  if (last && finished) return *std::exchange(last, nullptr);
  return std::nullopt;
}

void Correlator::Impl::note_attempt(const Event& e, const Flow& flow) {
  if (settings_.has_kernel && !filtered_) attempts_.begun(e.id, e.ts_ns, flow);
}

void Correlator::Impl::report_attempts(TimeNs now) {
  while (const auto attempts = attempts_.due(now, finished_)) judge_attempts(*attempts, now, false);
  while (const auto attempts = passing_attempts_.due(now, finished_)) judge_attempts(*attempts, now, true);
}

// "38 NEIGH_FAILED, 2 NETFILTER_DROP"
std::string Correlator::Impl::reasons_text(const ByReason& by_reason) const {
  std::string reasons;
  for (const auto& [reason, count] : by_reason)
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", count, names_.drop_reason(reason));
  return reasons;
}

// "; 40 were dropped on this machine (38 NEIGH_FAILED, 2 NETFILTER_DROP)"
std::string Correlator::Impl::dropped_answers(const Attempts& attempts) const {
  std::uint64_t all = 0;
  for (const auto& [reason, count] : attempts.dropped) all += count;
  return all == 0 ? "" : fmt::format("; {} were dropped on this machine ({})", all, reasons_text(attempts.dropped));
}

void Correlator::Impl::judge_attempts(const Attempts& attempts, TimeNs now, bool forwarded) {
  const std::uint64_t begun = attempts.crowd.size();
  if (begun < attempts.completed + attempts.refused + flood_from) return;
  Finding finding;
  finding.rule = Rule::syn_flood;
  finding.confidence = gap_until_ns_ >= attempts.crowd.since() ? Confidence::inconclusive : Confidence::likely;
  finding.evidence = attempts.crowd.evidence();
  const std::string who = attempts.crowd.from_where_to_where();
  if (forwarded) {
    finding.text = fmt::format(
        "{} connections were begun through this machine within {:.1f} s, {} completed and {} were refused, {}; {} "
        "SYN-ACKs came back; a SYN flood, or clients whose ACKs do not come",
        begun, attempts.crowd.lasted(), attempts.completed, attempts.refused, who, attempts.answered);
  } else {
    finding.text = fmt::format(
        "{} connections were begun within {:.1f} s and {} completed, {}; {} answers of the kernel were seen leaving, "
        "{} of them with a SYN cookie{}; a SYN flood, or clients whose ACKs do not come",
        begun, attempts.crowd.lasted(), attempts.completed, who, attempts.answered + attempts.cookies, attempts.cookies,
        dropped_answers(attempts));
  }
  emit(FindingReport{0, now, attempts.crowd.first(), std::move(finding)}, 0);
}

void Correlator::Impl::add_up(std::unique_ptr<Crowd>& crowd, EventId id, TimeNs ts, const Flow& flow) {
  if (!crowd) crowd = std::make_unique<Crowd>();
  crowd->add(id, ts, flow);
}

// Those of a second that were not reported one by one.
void Correlator::Impl::report_crowd(std::unique_ptr<Crowd>& crowd, TimeNs now, Rule rule, std::string_view which,
                                    std::string_view what) {
  if (!crowd || (now - crowd->since() < second_ns && !finished_)) return;
  const Crowd more = *std::exchange(crowd, nullptr);
  Finding finding;
  finding.rule = rule;
  finding.confidence = gap_until_ns_ >= more.since() ? Confidence::inconclusive : Confidence::likely;
  finding.evidence = more.evidence();
  finding.text = fmt::format("{} more {} within {:.1f} s {}, {}", more.size(), which, more.lasted(), what,
                             more.from_where_to_where());
  emit(FindingReport{0, now, more.first(), std::move(finding)}, 0);
}

void Correlator::Impl::report_crowds(TimeNs now) {
  report_attempts(now);
  report_crowd(more_strays_, now, Rule::stray_segment, "segments", "fit no connection here");
  report_more_turned_away(now);
  report_crowd(more_refused_, now, Rule::reset_origin, "connections through this machine", "were refused by a RST");
}

// A connection of which only its beginning is known; forwarded: one that never came about.
bool Correlator::Impl::only_half_open(const Connection& c) const {
  if (c.passage()) return never_open(c);
  const bool begun = c.state == TcpState::unknown || c.state == TcpState::new_syn_recv;
  return settings_.has_kernel && c.role == Role::passive && !c.established && begun;
}

}  // namespace tcpwitness
