// SPDX-License-Identifier: Apache-2.0
// file_writer.hpp: whole pcapng blocks to a file, by a thread of its own: a slow disk must not hold up who drains
// the ring.
//
// What cannot be written is counted, never waited for: the queue is bounded; a disk that is full or a file that
// cannot be made is tried again every second, and a mark has how much is missing there. A block that was
// written in part is cut off again, so the file always ends with a whole one. A file is the recorder's alone (mode
// 0600, locked, never reached through somebody else's link), and an old one goes only when its successor holds events.
// Blocks that others need (section, interfaces, the start) are never given up: they wait.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "recording/file_names.hpp"
#include "recording/pcapng.hpp"
#include "tcpwitness/report.hpp"
#include "tcpwitness/result.hpp"

namespace tcpwitness {

class FileWriter {
 public:
  // Something that failed or works again, for a person. Called from the writer's thread.
  using Notice = std::function<void(const std::string&)>;

  struct Settings {
    std::uint32_t keep = 0;                        // of the files, the newest so many; 0: all
    std::string pattern{};                         // what the files' names are made of
    Limits limits{};                               // of all files of that pattern, those of earlier runs too
    std::chrono::milliseconds look_every{60'000};  // at the limits; and whenever so much was written:
    std::uint64_t look_after_bytes = std::uint64_t{1} << 20U;
    std::size_t queue_bytes = std::size_t{32} << 20U;  // that may wait for the disk
    std::chrono::milliseconds retry_every{1000};
    std::chrono::milliseconds give_up_after{5000};  // at the end, without progress
  };

  // path "-": standard output. Opens it at once: what is wrong with it, or that there is no thread to be had, is in
  // wrong() then, and nothing is written.
  FileWriter(Settings settings, std::string path, pcapng::Blocks prologue, Notice notice);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  [[nodiscard]] const std::optional<Error>& wrong() const { return wrong_; }

  // Standard output, and its reader is gone.
  [[nodiscard]] bool nobody_reads() const { return nobody_reads_.load(std::memory_order_relaxed); }
  // Takes whole blocks, or none: what an earlier call could not hand over goes on. Never waits.
  void write(pcapng::Blocks blocks);
  // What is written from now on goes to another file, which begins with `prologue`.
  void next_file(std::string path, pcapng::Blocks prologue);
  // Waits until everything is written, or cannot be.
  RecordingTotals finish();

 private:
  struct Job {
    pcapng::Blocks blocks;
    std::string path;  // not empty: begin this file, with these blocks
    std::uint64_t lost_before = 0;
  };

  void run();
  void hand_over(bool wait);
  void queue(Job job);
  void take(Job job);
  void begin_file(std::string path, pcapng::Blocks prologue);
  void prepare(std::string path, pcapng::Blocks prologue);
  bool take_all_back();
  void put_prologue();
  bool open();
  [[nodiscard]] int open_file(std::string& why) const;
  void remove_old();
  bool remove(const std::string& path) const;
  void keep_limits();
  void say_what_others_took();
  bool is_cut_off();
  bool put(std::span<const std::byte> blocks, bool of_events = false);
  std::size_t put_bytes(std::span<const std::byte> bytes, int& error);
  [[nodiscard]] std::uint64_t next_byte_at() const;
  [[nodiscard]] bool can_be_cut_off() const;
  bool cut_off_partial_block();
  void give_up(std::span<const std::byte> blocks);
  [[nodiscard]] std::string name_in_words() const;
  void fail(int error, const char* what);
  void fail(const std::string& why, const char* what);
  void recovered();

  Settings settings_;
  Notice notice_;
  std::atomic<bool> nobody_reads_ = false;

  // The writer's own.
  std::string path_;
  std::optional<Error> wrong_;
  int fd_ = -1;
  bool regular_ = false;
  bool has_name_ = false;    // a regular file, not in memory or at standard output
  bool appends_ = false;     // O_APPEND
  bool cut_off_ = false;     // by another process
  std::size_t partial_ = 0;  // so much of a block is behind offset_
  bool down_ = false;        // the last attempt failed
  bool hopeless_ = false;    // a pipe that nobody reads, or that has got half a block
  bool said_failed_ = false;
  bool said_recovered_ = false;
  std::uint64_t offset_ = 0;       // of the file, behind its last whole block
  std::uint64_t file_blocks_ = 0;  // whole ones in it
  bool empty_ = true;              // but for what begins it
  std::uint64_t missing_ = 0;      // blocks that were given up since the last that was written
  std::uint64_t marked_ = 0;       // as missing in this file
  std::chrono::steady_clock::time_point retry_at_{};
  pcapng::Blocks carried_;  // blocks that must come first
  std::deque<std::string> files_;
  std::chrono::steady_clock::time_point looked_at_limits_{};
  std::uint64_t looked_at_bytes_ = 0;
  RecordingTotals totals_;

  // The caller's own: what found the lock taken. The writer may be preempted while it has it, and whoever drains the
  // ring must not wait for a thread of lower priority.
  std::deque<Job> handed_;

  // Shared.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t dropped_ = 0;  // found no room in the queue since the last that did
  std::uint64_t progress_ = 0;
  bool finishing_ = false;
  bool done_ = false;
  bool abandoned_ = false;
  std::thread thread_;
};

}  // namespace tcpwitness
