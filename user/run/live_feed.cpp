// SPDX-License-Identifier: Apache-2.0
#include "run/live_feed.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "decode/digest.hpp"
#include "pipeline/prefetch.hpp"
#include "run/live_settings.hpp"
#include "run/messages.hpp"

namespace tcpwitness {
namespace {

// What ended is reported 25 ms later at the earliest (Table), so this is often enough: each question is a system call
// for each program.
constexpr std::int64_t skipped_every_ns = 20'000'000;

std::unique_ptr<Recorder> make_recorder(const LiveParts& parts, const Ready& ready, const Names& names) {
  const Options& options = parts.options;
  if (options.command != Command::record) return nullptr;
  return std::make_unique<Recorder>(recorder_settings(options.record),
                                    start_mark(options, correlator_settings(options, parts.live_filter, parts.tracer),
                                               ready, parts.started_ns, parts.clock.offset_ns(), parts.features),
                                    names,
                                    [](const std::string& text) { say("tcpwitness: " + text, Priority::warning); });
}

}  // namespace

LiveFeed::LiveFeed(const LiveParts& parts, const Ready& ready, const Names& names, LiveOutput& output)
    : clock_(parts.clock),
      containers_(parts.live_filter.containers()),
      output_(output),
      reports_(output.waiting()),
      decoder_(parts.clock.offset_ns(), parts.started_ns),
      correlator_(correlator_settings(parts.options, parts.live_filter, parts.tracer), names),
      recorder_(make_recorder(parts, ready, names)),
      skipped_until_ns_(parts.started_ns) {}

void LiveFeed::take(std::span<const std::byte> record) {
  events_.clear();
  decoder_.decode(record, events_);
  if (end_ns_ != 0) keep_events_of_the_run();
  if (events_.empty()) return;
  const std::size_t reported = reports_.size();
  feed_events();
  if (recorder_) {
    const bool loss_alone = std::holds_alternative<Gap>(events_.back().body);  // the account at the end has it
    if (!loss_alone) recorder_->record(record, events_, std::span(reports_).subspan(reported));
    record_reports(reported);
  }
  output_.write_if_many();
}

void LiveFeed::feed_events() {
  for (const auto& event : events_) {
    if (containers_ != nullptr) containers_->note(event);
    const bool loss = std::holds_alternative<Gap>(event.body);
    if (loss && lost_at_ns_ == 0) lost_at_ns_ = clock_.now();
    if (!loss && !correlator_.takes_first(event)) {
      Prefetch::connection(correlator_, event);  // it comes while others are reported
      write_over(event.ts_ns);
    }
    correlator_.feed(event, reports_);
  }
}

// Of many that are over by then a part is reported at a time, so that it can leave. Not of a recording, which keeps
// what each record led to.
void LiveFeed::write_over(TimeNs by) {
  if (recorder_) return;
  while (output_.takes() && correlator_.report_over(by, reports_, LiveOutput::many)) output_.write();
}

void LiveFeed::advance(TimeNs now) {
  const std::size_t reported = reports_.size();
  const std::uint64_t over = correlator_.waits_over();
  write_over(now);
  correlator_.advance(now, reports_);
  if (!recorder_) return;
  recorder_->advanced(now, reports_.size() > reported || correlator_.waits_over() > over);
  record_reports(reported);
  recorder_->flush(now);
}

// Once more at the end of the run.
bool LiveFeed::wants_skipped(TimeNs now) const {
  return end_ns_ != 0 ? skipped_until_ns_ != end_ns_ : now - skipped_until_ns_ >= skipped_every_ns;
}

void LiveFeed::skipped(std::uint64_t total, TimeNs now) {
  const TimeNs from = std::exchange(skipped_until_ns_, now);
  events_.clear();
  decoder_.skipped(total, from, now, events_);
  if (events_.empty()) return;
  const std::size_t reported = reports_.size();
  feed_events();
  if (!recorder_) return;
  recorder_->skipped(total, from, now);
  record_reports(reported);
}

void LiveFeed::untraced(TimeNs from, TimeNs now) {
  events_.clear();
  decoder_.untraced(from, now, events_);
  const std::size_t reported = reports_.size();
  feed_events();
  if (!recorder_) return;
  recorder_->untraced(from, now);
  record_reports(reported);
}

void LiveFeed::listed(TimeNs begun) {
  const std::size_t reported = reports_.size();
  correlator_.listed(begun, reports_);
  if (!recorder_) return;
  recorder_->listed(begun);
  record_reports(reported);
}

// A loss that began before the end of the run is of it.
void LiveFeed::leave_out_younger() {
  split_last_digest();
  for (Event& event : events_) {
    Gap* gap = std::get_if<Gap>(&event.body);
    if (gap == nullptr || gap->from_ts_ns > end_ns_) continue;
    gap->to_ts_ns = std::min(gap->to_ts_ns, end_ns_);
    event.ts_ns = std::min(event.ts_ns, end_ns_);
  }
  std::erase_if(events_, [&](const Event& event) {
    const Gap* gap = std::get_if<Gap>(&event.body);
    if (gap != nullptr) return gap->from_ts_ns > end_ns_;
    return event.ts_ns > end_ns_ && !std::holds_alternative<SocketFound>(event.body);
  });
}

// Events that are left out have no numbers either: the last look at the sockets comes behind them, and whoever reads
// the recording would take the step for a loss.
void LiveFeed::keep_events_of_the_run() {
  if (events_.empty()) return;
  const auto end = [&] {
    const Event& last = events_.back();
    if (std::holds_alternative<Gap>(last.body)) return last.id;  // alone: it is not recorded
    const auto* digest = std::get_if<SocketDigest>(&last.body);
    return last.id + (digest != nullptr ? events_in(*digest) : 1);
  };
  const EventId first = events_.front().id;
  const EventId end_before = end();
  leave_out_younger();
  const EventId given_back = end_before - (events_.empty() ? first : end());
  for (Event& event : events_) event.id -= given_back_;
  given_back_ += given_back;
}

// Some of the events that it stands for are of the run, others come behind its end.
void LiveFeed::split_last_digest() {
  if (events_.empty() || events_.back().ts_ns <= end_ns_) return;
  if (!std::holds_alternative<SocketDigest>(events_.back().body)) return;
  const Event whole = events_.back();
  events_.pop_back();
  expand(whole, std::get<SocketDigest>(whole.body), events_);
}

void LiveFeed::account(std::span<const std::uint64_t> lost_by_cpu) {
  const std::size_t reported = reports_.size();
  events_.clear();
  std::uint32_t cpu = 0;
  for (const std::uint64_t lost : lost_by_cpu) {
    decoder_.account(cpu, lost, end_ns_, events_);
    if (recorder_) recorder_->accounted(end_ns_, cpu, lost);
    cpu++;
  }
  leave_out_younger();
  for (Event& event : events_) {
    event.id -= given_back_;
    correlator_.feed(event, reports_);
  }
  record_reports(reported);
}

void LiveFeed::finish() {
  const std::size_t reported = reports_.size();
  correlator_.finish(end_ns_, reports_);
  record_reports(reported);
}

Summary LiveFeed::summary() const {
  Summary summary = correlator_.summary();
  summary.ts_ns = end_ns_;
  summary.lost = decoder_.lost();
  summary.malformed = decoder_.malformed();
  return summary;
}

void LiveFeed::record_reports(std::size_t from) {
  if (!recorder_) return;
  for (std::size_t i = from; i < reports_.size(); i++) recorder_->report(reports_[i]);
}

}  // namespace tcpwitness
