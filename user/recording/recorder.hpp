// SPDX-License-Identifier: Apache-2.0
// recorder.hpp: everything that a live run receives and concludes, in order, as pcapng.
//
// Segments become packets, the kernel's events journal entries; both hold their record whole. With the
// settings and the passing of time between them (marks.hpp) they are all that the judgements rest on, so a Correlator
// that is fed from the file reports what the live one reported. Blocks wait in a window for a second: a finding that
// fires meanwhile becomes a comment of its packet. A flight recorder's window is longer, and is written only when a
// finding fires.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "decode/frame_bytes.hpp"
#include "recording/copies.hpp"
#include "recording/file_writer.hpp"
#include "recording/journal.hpp"
#include "recording/marks.hpp"
#include "recording/window.hpp"
#include "tcpwitness/pipeline.hpp"

namespace tcpwitness {

struct RecorderSettings {
  std::string path;  // "-": standard output
  std::uint64_t rotate_bytes = 0;
  std::chrono::nanoseconds rotate_every{};
  std::uint32_t keep = 0;
  Limits limits{};
  std::optional<std::chrono::nanoseconds> flight;
  std::vector<Rule> on;                               // flight: empty: every rule but time-wait, see default_triggers
  std::size_t flight_bytes = std::size_t{64} << 20U;  // of memory at most
};

class Recorder {
 public:
  // start.part is the recorder's own to count.
  Recorder(RecorderSettings settings, StartMark start, const Names& names, FileWriter::Notice notice);

  // Why the first file could not be begun. (Later ones are tried again and again.)
  [[nodiscard]] std::optional<Error> wrong() const { return writer_->wrong(); }

  // It goes to standard output, whose reader is gone.
  [[nodiscard]] bool nobody_reads() const { return writer_->nobody_reads(); }

  // All that exist, by index.
  void interfaces(const std::map<std::uint32_t, std::string>& there);
  // Names::wall was set.
  void clock(const ClockMark& step);
  // A record of the ring or a snapshot, what the Decoder made of it, and what the Correlator reported of that.
  void record(std::span<const std::byte> bytes, std::span<const Event> events, std::span<const Report> reports = {});
  // Correlator::advance(now) was called.
  void advanced(TimeNs now, bool counts);
  // Decoder::account(...) was called.
  void accounted(TimeNs now, std::uint32_t cpu, std::uint64_t lost);
  // Decoder::skipped(...) was called, and found some.
  void skipped(std::uint64_t total, TimeNs from, TimeNs now);
  // Decoder::untraced(...) was called.
  void untraced(TimeNs from, TimeNs now);
  // LiveCorrelator::listed(...) was called.
  void listed(TimeNs begun);
  // What the Correlator reported after the last of these.
  void report(const Report& report);
  // The next file begins, as somebody asked for it (SIGHUP). Not at standard output, which is one.
  void next_file();
  // Hands on what has waited long enough.
  void flush(TimeNs now);
  // end.last_id and end.continued are the recorder's to know.
  RecordingTotals finish(EndMark end);

 private:
  [[nodiscard]] bool triggers(const Finding& finding) const;
  [[nodiscard]] pcapng::Blocks prologue();
  void forget_gone();
  [[nodiscard]] std::uint32_t number_in_file(std::uint32_t ifindex, std::uint16_t link_type);
  [[nodiscard]] std::string path_of(std::uint32_t part);
  void packet(std::span<const std::byte> record, const Event& event, const FrameBytes& frame);
  // The same segment at another place: `as` is its packet.
  void copy(std::span<const std::byte> record, const Event& event, const Copies::Packet& as);
  void entry(const Event& event, std::span<const std::byte> record, const Entry* state = nullptr);
  // A transition that no record stands for.
  void inferred(const Entry& entry);
  void put_transition(const Entry& entry, const StateEntry& state);
  void put_ends(const Flow& flow);
  void put_process(const Process& process);
  void begin_entry(TimeNs ts_ns, std::string_view priority, std::string_view kind, const std::string& message);
  void end_entry(EventId id);
  void mark(const RecordingMark& mark);
  void push(const Window::Entry& entry);
  void write_pending_tick();
  void finding(const FindingReport& report);
  // Moves what is due from the window to the file, drops what is too old.
  void release(bool all);
  // Marks as meant the gap of the events that a flight recorder let go since the last one it wrote.
  void say_left_out(TimeNs at);
  void put(std::span<const std::byte> block);
  void put_packet(const Window::Entry& entry, const std::string& comment);
  void write_if_due();
  void write_out();
  void rotate_by_time();
  void rotate(TimeNs now);
  void end_file(const EndMark& end);

  struct GoneInterface {
    TimeNs at = 0;
    std::uint32_t index = 0;
    std::string name;
  };

  RecorderSettings settings_;
  StartMark start_;
  const Names& names_;
  TimeNs now_ = 0;
  std::optional<TimeNs> pending_tick_;
  std::optional<ClockMark> clock_;                                    // the newest
  EventId last_id_ = 0;                                               // received
  EventId written_id_ = 0;                                            // left the window for the file
  std::map<std::uint32_t, std::string> interfaces_;                   // that exist, by index
  std::deque<GoneInterface> gone_;                                    // not long ago
  std::unordered_map<std::uint64_t, std::uint32_t> file_interfaces_;  // of this file: by index and link type
  Window window_;
  Copies copies_;
  TimeNs write_until_ = 0;            // flight: what came until then is written
  TimeNs written_at_ = 0;             // when the newest block that left the window for the file came
  EventId passed_id_ = 0;             // left the window
  std::uint64_t dropped_events_ = 0;  // flight: since the last that was written
  std::uint64_t dropped_early_ = 0;   // of all, for want of memory
  std::uint64_t fired_ = 0;           // flight: findings that count
  pcapng::Blocks block_;              // the one being made
  pcapng::Blocks out_;                // on the way to the writer
  JournalEntry entry_;
  std::vector<std::byte> tagged_;  // a frame with its VLAN tag back
  std::uint64_t file_bytes_ = 0;
  TimeNs file_since_ = 0;
  std::string file_path_;
  std::string file_name_;  // with the time in it, and which of that name it is
  std::uint32_t file_number_ = 0;
  bool file_has_events_ = false;
  TimeNs written_out_ = 0;
  std::unique_ptr<FileWriter> writer_;
};

}  // namespace tcpwitness
