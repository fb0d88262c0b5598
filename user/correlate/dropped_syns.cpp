// SPDX-License-Identifier: Apache-2.0
// dropped_syns.cpp: one attempt, however often it is repeated.
#include "correlate/dropped_syns.hpp"

#include <algorithm>
#include <utility>

#include "facts/derived.hpp"

namespace tcpwitness {
namespace {

TimeNs over(const DroppedSyn& syn) {
  constexpr std::int64_t once_more_within_ns = 5'000'000'000;  // a first timeout of 3 s, and some delay
  const std::int64_t within = next_syn_within(syn.stray.ts_ns - syn.first_ns);
  return syn.stray.ts_ns + (within != 0 ? within : once_more_within_ns);
}

}  // namespace

std::optional<DroppedSyn> DroppedSyns::add(const Stray& syn, const Event& e, const Drop& d) {
  std::optional<DroppedSyn> oldest;
  auto known = std::ranges::find_if(
      attempts_, [&](const DroppedSyn& one) { return one.stray.flow == syn.flow && one.stray.seq == d.seq; });
  if (known == attempts_.end()) {
    if (attempts_.size() >= limit) {
      oldest = std::move(attempts_.front());
      attempts_.pop_front();
    }
    known = attempts_.insert(attempts_.end(), DroppedSyn{});
    known->first_ns = syn.ts_ns;
  }
  ++known->count;
  add_reason(known->reasons, d.reason);
  known->stray = syn;
  known->sent_to = to_flow(d.tuple).local;
  known->evidence.add(syn.evidence.ids[0]);
  known->evidence.add(e.id);
  due_ns_ = attempts_.size() == 1 ? over(*known) : std::min(due_ns_, over(*known));
  return oldest;
}

std::optional<DroppedSyn> DroppedSyns::due(TimeNs now, bool finished) {
  if (attempts_.empty() || (!finished && now < due_ns_)) return std::nullopt;
  const auto first =
      std::ranges::find_if(attempts_, [&](const DroppedSyn& syn) { return finished || now >= over(syn); });
  if (first != attempts_.end()) {
    DroppedSyn syn = std::move(*first);
    attempts_.erase(first);
    return syn;
  }
  due_ns_ = over(*std::ranges::min_element(attempts_, {}, over));
  return std::nullopt;
}

void DroppedSyns::add_up(const DroppedSyn& syn, TimeNs now) {
  if (!sum_) sum_ = std::make_unique<MoreDroppedSyns>(MoreDroppedSyns{{}, {}, now});
  sum_->crowd.add(syn.evidence.ids[0], syn.stray.ts_ns, syn.stray.flow, syn.count);
  for (const auto& [reason, count] : syn.reasons) add_reason(sum_->reasons, reason, count);
}

std::optional<MoreDroppedSyns> DroppedSyns::sum_due(TimeNs now, bool finished) {
  constexpr std::int64_t second_ns = 1'000'000'000;
  if (!sum_ || (now - sum_->begun_ns < second_ns && !finished)) return std::nullopt;
  return *std::exchange(sum_, nullptr);
}

}  // namespace tcpwitness
