// SPDX-License-Identifier: Apache-2.0
#include "sink/views/compared.hpp"

#include <algorithm>
#include <initializer_list>

namespace tcpwitness {
namespace {

void add(PartSums& sums, const std::vector<Part>& parts) {
  for (const Part& part : parts) {
    PartSum& sum = sums[{part.where, part.reason}];
    sum.meaning = meaning(part);
    sum.amount += part.amount;
    sum.confidence = sum.connections++ == 0 ? part.confidence : std::min(sum.confidence, part.confidence);
  }
}

void take(SideSum& sum, const SideBySide& side) {
  sum.bytes.take(side.bytes);
  sum.segments.take(side.segments);
  sum.sent_again.take(side.sent_again);
  add(sum.behind, side.behind);
}

// What a retransmission or the end of a connection brings about by itself.
bool is_notable(Where where) {
  return !is_usual(where) && where != Where::sent_again && where != Where::unacknowledged &&
         where != Where::two_moments;
}

}  // namespace

void CountSum::take(const CountPair& pair) {
  if (pair.kernel) kernel += *pair.kernel;
  if (pair.wire) wire += *pair.wire;
  kernel_counts = kernel_counts || pair.kernel;
  wire_counts = wire_counts || pair.wire;
  add(parts, pair.parts);
}

std::string differs_by(const Comparison& comparison) {
  std::string text;
  const auto mention = [&](const Part& part) {
    if (!is_notable(part.where)) return;
    const std::string_view what = part.reason.empty() ? words(part.where) : std::string_view(part.reason);
    if (text.find(what) != std::string::npos) return;
    if (!text.empty()) text += ", ";
    text += what;
  };
  for (const SideBySide* side : {&comparison.tx, &comparison.rx}) {
    for (const auto* parts : {&side->segments.parts, &side->bytes.parts, &side->sent_again.parts, &side->behind}) {
      std::ranges::for_each(*parts, mention);
    }
  }
  return text;
}

void Compared::take(const Life& life) {
  if (!life.comparison) return;
  const Comparison& of = *life.comparison;
  ++connections;
  ++not_compared[static_cast<std::size_t>(of.why_not)];
  for (std::size_t i = 0; i < timed_count; ++i) {
    if (of.times[i]) times[i].add(*of.times[i]);
  }
  if (of.compared()) {
    ++compared;
    if (life.outcome == Outcome::open) ++open;
    if (of.open_before) ++open_before;
  } else if (of.why_not != NotCompared::packets_only) {
    return;  // its counts are not the whole
  }
  tcpwitness::take(tx, of.tx);
  tcpwitness::take(rx, of.rx);
  std::string what = differs_by(of);
  if (what.empty()) return;
  ++differing;
  if (examples.size() < top_) examples.push_back({life.conn, life.flow, life.process, std::move(what)});
}

}  // namespace tcpwitness
