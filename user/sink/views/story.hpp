// SPDX-License-Identifier: Apache-2.0
// story.hpp: what happened to a connection, sentence by sentence, gathered from reports until its life is reported.
//
// A pure function of reports. What a story may hold is bounded: of one connection its first and its last
// sentences, of all together a number of bytes; what is left out is counted, and printed. Repetitions and ordinary
// data are summed up.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sink/remembered.hpp"
#include "sink/views/story_words.hpp"
#include "tcpwitness/report.hpp"

namespace tcpwitness {

struct Sentence {
  std::int64_t offset_ns = 0;  // from the connection's first event, never less than that of the sentence before
  EventId id = 0;              // the event that it is about first; 0: of none
  std::string text;
  std::uint64_t events = 1;    // that it stands for
  std::int64_t until_ns = -1;  // an offset that the text names; it stands where until_mark is
  bool payload = false;        // says only how much passed
};

inline constexpr char until_mark = '\x01';

struct StoryLimits {
  std::size_t first = 40;  // sentences of one connection
  std::size_t last = 20;
  std::size_t bytes = std::size_t{64} << 20U;  // of all that are not reported yet
  std::size_t alike = 3;                       // sentences of one topic before the rest is summed up
  std::size_t remembered = 131'072;  // connections that are reported: what still comes of them is not gathered
};

class Stories {
 public:
  Stories(const Names& names, bool utf8, bool wire_alone, StoryLimits limits = {});
  ~Stories();
  Stories(const Stories&) = delete;
  Stories& operator=(const Stories&) = delete;

  void take(const Entry& entry);
  void take(const Gap& gap);
  // Everything that is printed of the connection, in order; it is forgotten.
  [[nodiscard]] std::vector<Sentence> end(const Life& life);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Thread;
  Thread& find(const Entry& entry);
  void add_phrase(Thread& thread, const Entry& entry, Phrase phrase);
  void add(Thread& thread, Sentence sentence);
  void close_run(Thread& thread);
  void describe_quiet(Thread& thread, std::int64_t until_ns);
  void add_gaps(const Life& life, std::vector<Sentence>& sentences) const;

  [[nodiscard]] const StoryWords& words_of(const StoryState& so_far) const {
    return so_far.forwarded ? forwarded_words_ : words_;
  }

  StoryWords words_;
  StoryWords forwarded_words_;  // of the client and the server: neither is "this side"
  StoryLimits limits_;
  std::size_t bytes_ = 0;
  std::unordered_map<ConnectionId, std::unique_ptr<Thread>> threads_;
  std::deque<Gap> gaps_;  // the newest; older ones are one
  Remembered reported_;
};

}  // namespace tcpwitness
