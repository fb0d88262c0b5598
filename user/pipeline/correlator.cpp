// SPDX-License-Identifier: Apache-2.0
// correlator.cpp: the one place where correlation meets the rules, and the words.
#include <utility>

#include "correlate/correlator_impl.hpp"
#include "pipeline/live_correlator.hpp"
#include "pipeline/prefetch.hpp"
#include "pipeline/rules.hpp"

namespace tcpwitness {
namespace {

// Their sentences, not their arguments: these differ from one look to the next by nanoseconds and by what no sentence
// prints, and rounding them as wording/ does would write all of wording/ once more. It is asked once for each finding
// that was reported of an open connection, at its end.
bool read_alike(const Finding& one, const Finding& other) { return sentence(one) == sentence(other); }

}  // namespace

Correlator::Correlator(CorrelatorSettings settings, const Names& names)
    : impl_(std::make_unique<Impl>(std::move(settings), names, all_rules(), read_alike)) {}
Correlator::~Correlator() = default;
Correlator::Correlator(Correlator&&) noexcept = default;
Correlator& Correlator::operator=(Correlator&&) noexcept = default;
void Correlator::feed(const Event& event, Reports& out) { impl_->feed(event, out); }
void Correlator::advance(TimeNs now, Reports& out) { impl_->advance(now, out); }
bool LiveCorrelator::report_over(TimeNs by, Reports& out, std::size_t reports) {
  return impl_->report_over(by, out, reports);
}
bool LiveCorrelator::takes_first(const Event& event) const { return impl_->takes_first(event); }
TimeNs Correlator::due() const { return impl_->due(); }
bool LiveCorrelator::wants_descriptors() { return impl_->wants_descriptors(); }
bool LiveCorrelator::wants_listener_owners(const std::function<bool(std::uint32_t pid)>& is_gone) {
  return impl_->wants_listener_owners(is_gone);
}
std::optional<PortsQuestion> LiveCorrelator::wants_ports() { return impl_->wants_ports(); }
std::uint64_t LiveCorrelator::waits_over() const { return impl_->waits_over(); }
bool LiveCorrelator::wants_fin_wait2() { return impl_->wants_fin_wait2(); }
bool LiveCorrelator::wants_hops() { return impl_->wants_hops(); }
std::vector<Flow> LiveCorrelator::ended_hops() { return impl_->ended_hops(); }
std::vector<FlowToDelete> LiveCorrelator::flows_to_delete() { return impl_->flows_to_delete(); }
void LiveCorrelator::listed(TimeNs begun, Reports& out) { impl_->listed(begun, out); }
void Correlator::finish(TimeNs now, Reports& out) { impl_->finish(now, out); }
bool Correlator::any_open() const { return impl_->any_open(); }
Summary Correlator::summary() const { return impl_->summary(); }
void Correlator::so_far(TimeNs now, const std::function<void(Life)>& take) { impl_->so_far(now, take); }
std::optional<Life> Correlator::so_far_of(ConnectionId conn, TimeNs now) { return impl_->so_far_of(conn, now); }
void LiveCorrelator::summarize_ordinary(bool summarize) { impl_->summarize_ordinary(summarize); }

void Prefetch::connection(const Correlator& correlator, const Event& event) {
  correlator.impl_->prefetch_connection(event);
}
void Prefetch::rest(const Correlator& correlator, const Event& event) { correlator.impl_->prefetch_rest(event); }

}  // namespace tcpwitness
