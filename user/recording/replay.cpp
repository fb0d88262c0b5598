// SPDX-License-Identifier: Apache-2.0
#include "recording/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "decode/record.hpp"
#include "tcpwitness/gap.hpp"

namespace tcpwitness {
namespace {

std::unexpected<Error> broken(std::uint64_t at, const std::string& why) {
  return failure("read the recording", fmt::format("the block at byte {} {}", at, why));
}

// A program that writes the file anew (editcap, Wireshark) leaves out the custom blocks, and so the start.
std::unexpected<Error> without_start(std::uint64_t at) {
  return failure("read the recording", fmt::format("the block at byte {} comes before the recording begins", at),
                 "editcap and Wireshark leave out the blocks that only tcpwitness knows: read the original");
}

}  // namespace

Result<void> Replay::take(const CaptureBlock& block, Reports& out) {
  const auto step = read_step(block);
  if (!step) return std::unexpected(step.error());
  if (!*step) return {};
  return take(**step, block.offset, out);
}

Result<void> Replay::take(const RecordingStep& step, std::uint64_t at, Reports& out) {
  return std::visit([&](const auto& one) { return apply(one, at, out); }, step);
}

TimeNs Replay::time_of(const RecordingStep& step) const {
  if (const auto* mark = std::get_if<RecordingMark>(&step)) {
    if (const auto* start = std::get_if<StartMark>(mark)) return start->started_ns;
    if (const auto* tick = std::get_if<TickMark>(mark)) return tick->now;
    if (const auto* account = std::get_if<AccountMark>(mark)) return account->now;
    return last_ts_ns_;
  }
  const auto written = time_in(std::get<RecordedEvent>(step).record);
  if (!start_ || !written) return last_ts_ns_;
  const auto ts_ns = static_cast<TimeNs>(*written + static_cast<std::uint64_t>(start_->offset_ns));
  return ts_ns < 0 || ts_ns > time_limit ? last_ts_ns_ : ts_ns;
}

Result<void> Replay::begin(const StartMark& start, std::uint64_t at) {
  if (start_) {
    // Files of a rotation, one behind the other, are one recording. One that a full disk kept from being begun has no
    // file; what was to be in it is missing by its numbers.
    const bool next =
        start.started_ns == start_->started_ns && start.part > start_->part && end_ && !end_->continued.empty();
    if (!next) return broken(at, "begins another recording: read that one by itself");
    start_ = start;
    end_.reset();
    return {};
  }
  start_ = start;
  last_ts_ns_ = start.started_ns;
  names_.reset_reasons = start.reset_reasons;
  names_.drop_reasons = start.drop_reasons;
  decoder_.emplace(start.offset_ns, start.started_ns);
  CorrelatorSettings settings;
  static_cast<ReportSettings&>(settings) = settings_.reports;
  static_cast<RunSettings&>(settings) = static_cast<const RunSettings&>(start);
  if (settings_.close_wait_stuck_ns) settings.close_wait_stuck_ns = *settings_.close_wait_stuck_ns;
  if (settings_.pid != 0) settings.pid = settings_.pid;
  if (!settings_.comm.empty()) settings.comm = settings_.comm;
  correlator_.emplace(std::move(settings), names_);
  return {};
}

Result<void> Replay::apply(const RecordingMark& mark, std::uint64_t at, Reports& out) {
  if (const auto* start = std::get_if<StartMark>(&mark)) return begin(*start, at);
  if (!start_) return without_start(at);
  if (const auto* interface = std::get_if<InterfaceMark>(&mark)) {
    names_.interfaces[interface->index] = interface->name;
  } else if (const auto* tick = std::get_if<TickMark>(&mark)) {
    last_ts_ns_ = std::max(last_ts_ns_, tick->now);
    // The answers are in the recording.
    static_cast<void>(correlator_->ended_hops());
    static_cast<void>(correlator_->flows_to_delete());
    correlator_->advance(tick->now, out);
  } else if (const auto* accounted = std::get_if<AccountMark>(&mark)) {
    account(*accounted, out);
  } else if (const auto* untraced = std::get_if<UntracedMark>(&mark)) {
    events_.clear();
    decoder_->untraced(untraced->from, untraced->now, events_);
    events_.back().id = last_id_ + 1;
    correlator_->feed(events_.back(), out);
  } else if (const auto* listed = std::get_if<ListedMark>(&mark)) {
    correlator_->listed(listed->begun, out);
  } else if (const auto* clock = std::get_if<ClockMark>(&mark)) {
    names_.wall.set(clock->from, clock->ahead_ns);
  } else if (const auto* hole = std::get_if<HoleMark>(&mark)) {
    if (hole->why == left_out_why) said_left_out_ += std::min(hole->blocks, EventId{1} << 62U);
  } else if (const auto* end = std::get_if<EndMark>(&mark)) {
    end_ = *end;
  }
  return {};
}

Result<void> Replay::apply(const RecordedEvent& recorded, std::uint64_t at, Reports& out) {
  if (!start_) return without_start(at);
  if (end_) return broken(at, "comes after the recording's end");
  if (recorded.id <= last_id_)
    return broken(at, fmt::format("has the event number {} after {}", recorded.id, last_id_));
  events_.clear();
  const std::uint64_t lost_before = decoder_->lost();
  decoder_->decode(recorded.record, events_);
  // A run that records has the events themselves, and no digest.
  if (events_.empty() || std::holds_alternative<SocketDigest>(events_.back().body))
    return broken(at, fmt::format("holds no record that could be event {}", recorded.id));
  Event& event = events_.back();
  if (event.ts_ns < 0 || event.ts_ns > time_limit) return broken(at, "has a time that cannot be");
  event.id = recorded.id;
  // The number before it belongs to the gap that the live run saw here, if it saw one.
  const bool contiguous = recorded.id == last_id_ + 1;
  if (events_.size() == 2 && contiguous) {
    events_.erase(events_.begin());  // reported before this file began
  } else {
    lost_ += decoder_->lost() - lost_before;
  }
  events_.front().id = recorded.id - (events_.size() - 1);
  feed_missing(events_.front().id, events_.back().ts_ns, out);
  for (const Event& one : events_) correlator_->feed(one, out);
  last_id_ = recorded.id;
  last_ts_ns_ = std::max(last_ts_ns_, events_.back().ts_ns);
  return {};
}

// Events between the last one and `before` are not in the file.
void Replay::feed_missing(EventId before, TimeNs until, Reports& out) {
  if (before <= last_id_ + 1) return;
  const std::uint64_t count = before - last_id_ - 1;
  if (last_id_ == 0) missing_before_ = count;
  missing_ += count;
  const std::uint64_t meant = std::min(count, std::exchange(said_left_out_, 0));
  left_out_ += meant;
  const std::uint64_t rest = count - meant;
  if (meant != 0) feed_gap(before - 1 - (rest != 0 ? 1 : 0), meant, gap_left_out, until, out);
  if (rest != 0) feed_gap(before - 1, rest, gap_not_in_file, until, out);
}

void Replay::feed_gap(EventId id, std::uint64_t count, std::uint32_t why, TimeNs until, Reports& out) {
  Gap gap;
  gap.lost = count;
  gap.cpu = why;
  gap.from_ts_ns = std::min(last_ts_ns_, until);
  gap.to_ts_ns = std::max(last_ts_ns_, until);
  correlator_->feed(Event{id, gap.to_ts_ns, gap}, out);
}

void Replay::account(const AccountMark& account, Reports& out) {
  last_ts_ns_ = std::max(last_ts_ns_, account.now);
  events_.clear();
  const std::uint64_t lost_before = decoder_->lost();
  if (account.cpu == no_cpu) {
    decoder_->skipped(account.lost, account.from, account.now, events_);
  } else {
    decoder_->account(account.cpu, account.lost, account.now, events_);
  }
  lost_ += decoder_->lost() - lost_before;
  for (Event& event : events_) {
    event.id = last_id_ + 1;
    correlator_->feed(event, out);
  }
}

void Replay::finish(Reports& out) {
  if (!start_) return;
  if (end_) {
    feed_missing(end_->last_id + 1, end_->now, out);
    last_id_ = std::max(last_id_, end_->last_id);
  }
  correlator_->finish(end_ ? end_->now : last_ts_ns_, out);
}

Summary Replay::summary() const {
  if (!correlator_) return {};
  Summary summary = correlator_->summary();
  summary.lost = lost_ + missing_ - left_out_;
  summary.missing = missing_witnesses(start_->ready);
  if (end_) {
    summary.ts_ns = end_->now;
    summary.lost += end_->skipped;
    summary.malformed = end_->malformed;
    summary.flows_full = end_->flows_full;
    summary.unaccounted = end_->unaccounted;
  }
  return summary;
}

}  // namespace tcpwitness
