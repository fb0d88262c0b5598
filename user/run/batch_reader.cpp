// SPDX-License-Identifier: Apache-2.0
#include "run/batch_reader.hpp"

#include <algorithm>

namespace tcpwitness {
namespace {

constexpr std::size_t events_in_a_batch = 256;     // they stay in a cache between the two threads
constexpr std::uint64_t frames_in_a_batch = 4096;  // a millisecond or two: how often clock and signals are looked at
constexpr std::int64_t linger_where_somebody_waits_ns = 2'000'000'000;
constexpr std::uint32_t headers_at_most = 512;  // Ethernet to TCP takes 54; this is tunnels in tunnels, with options

ConversationSettings conversation_settings(const Options& options, bool regular) {
  ConversationSettings settings;
  // Ordinary segments bring the counters of the moment.
  settings.all_segments = options.packets_all || options.command == Command::top;
  if (!regular || options.command == Command::top) settings.linger_ns = linger_where_somebody_waits_ns;
  return settings;
}

}  // namespace

BatchReader::BatchReader(const Options& options, CaptureFile& file, PacketFilter* filter)
    : file_(file),
      filter_(filter),
      file_filter_(options),
      conversations_(conversation_settings(options, file.regular())) {
  if (filter == nullptr) file.set_snaplen(headers_at_most);  // an expression can ask for any byte
}

bool BatchReader::fill(Batch& batch) {
  CaptureBlock block;
  bool more = true;
  for (std::uint64_t i = 0; i < frames_in_a_batch && batch.events.size() < events_in_a_batch; ++i) {
    more = file_.next(block);
    if (!more) break;
    if (block.kind == CaptureBlock::Kind::frame) take(block, batch);
  }
  account(batch);
  return more;
}

bool BatchReader::wants(const CaptureBlock& block) {
  ++frames_;
  if (filter_ != nullptr && !filter_->matches(block)) return wants_message(block);
  const bool segment = tcp_frames_.parse(block, tcp_);
  return (segment || tcp_.icmp) && file_filter_.wants(tcp_.source, tcp_.destination);
}

// Of a conversation that the expression has chosen, an ICMP error is a part, whatever the expression says of ICMP.
bool BatchReader::wants_message(const CaptureBlock& block) {
  (void)not_chosen_.parse(block, tcp_);
  return tcp_.icmp && file_filter_.wants(tcp_.source, tcp_.destination);
}

void BatchReader::take(const CaptureBlock& block, Batch& batch) {
  if (!wants(block)) return;
  if (!file_.regular()) return observe(tcp_, batch);
  order_.put(tcp_, [&](const TcpFrame& frame) { observe(frame, batch); });
}

std::optional<TimeNs> BatchReader::next() {
  CaptureBlock block;
  while (file_.next(block)) {
    if (block.kind == CaptureBlock::Kind::frame && wants(block)) return tcp_.ts_ns;
  }
  return std::nullopt;
}

void BatchReader::take_next(Batch& batch) {
  observe(tcp_, batch);
  account(batch);
}

void BatchReader::observe(const TcpFrame& frame, Batch& batch) {
  if (frame.icmp) return conversations_.observe_icmp(frame, batch.events);
  ++segments_;
  last_ts_ns_ = std::max(last_ts_ns_, frame.ts_ns);
  conversations_.observe(frame, batch.events);
  streams_ = std::max(streams_, conversations_.stream() + 1);
}

void BatchReader::advance(TimeNs now, Batch& batch) {
  conversations_.advance(now, batch.events);
  account(batch);
}

bool BatchReader::finish(Batch& batch) {
  order_.finish([&](const TcpFrame& frame) { observe(frame, batch); });
  const bool more = conversations_.finish(batch.events, events_in_a_batch);
  account(batch);
  return more;
}

void BatchReader::account(Batch& batch) {
  batch.frames = frames_;
  batch.segments = segments_;
  batch.conversations = streams_;
  batch.dropped = file_.dropped();
  batch.cut = tcp_frames_.cut();
  batch.bytes_read = file_.bytes_read();
  batch.last_ts_ns = last_ts_ns_;
  if (file_.interfaces().size() == interfaces_reported_) return;
  batch.interfaces = file_.interfaces();
  interfaces_reported_ = batch.interfaces.size();
}

}  // namespace tcpwitness
