// SPDX-License-Identifier: Apache-2.0
// story.cpp: see story.hpp.
//
// Of a connection the first sentences are kept, then the newest of the rest. A run of sentences alike is one after
// the first few; payload that passed without an event is reported before the next sentence. What finds no room in the
// common budget is counted with its connection, which keeps a few hundred bytes in any case.
#include "sink/views/story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "sink/format.hpp"

namespace tcpwitness {
namespace {

constexpr std::size_t gaps_kept = 64;
constexpr std::size_t gaps_in_a_story = 4;
constexpr std::size_t longest_sentence = 1000;  // bytes, after which nothing more goes on with it

std::size_t bytes_of(const Sentence& sentence) { return sizeof(Sentence) + sentence.text.size(); }

// "+0.012 s", as within a sentence.
std::string at(std::int64_t offset_ns) { return fmt::format("+{} s", grouped_seconds(offset_ns)); }

std::string lost_words(std::uint64_t lost) {
  if (lost == 0) return "segments may have passed unseen here: an interface was not traced";
  return fmt::format("{} event{} of this machine {} lost here, perhaps of this connection", grouped(lost),
                     lost == 1 ? "" : "s", lost == 1 ? "was" : "were");
}

}  // namespace

struct Stories::Thread {
  TimeNs start_ns = 0;
  std::int64_t last_ns = 0;  // offset of the newest sentence
  StoryState so_far;
  std::vector<Sentence> first;
  std::unique_ptr<std::deque<Sentence>> rest;  // the newest of what is behind the first
  std::uint64_t left_out = 0;                  // events whose sentence was let go of
  std::uint64_t no_room = 0;                   // the same, for want of room in the common budget
  bool newest_kept = false;                    // the newest sentence can still go on

  Topic topic = Topic::none;  // of the newest sentences
  std::size_t alike = 0;      // how many of them there are
  struct Run {
    std::uint64_t count = 0;
    std::uint64_t went_on = 0;
    std::string text;  // of the first, which is reported where it stays the only one
    std::int64_t from_ns = 0;
    std::int64_t until_ns = 0;
    EventId id = 0;
  } run;

  Sentence* newest() {
    if (!newest_kept) return nullptr;
    return rest && !rest->empty() ? &rest->back() : first.empty() ? nullptr : &first.back();
  }
};

Stories::Stories(const Names& names, bool utf8, bool wire_alone, StoryLimits limits)
    : words_{.names = names, .utf8 = utf8, .wire_alone = wire_alone},
      forwarded_words_{.names = names, .utf8 = utf8, .wire_alone = true},
      limits_(limits),
      reported_(limits.remembered) {}
Stories::~Stories() = default;

Stories::Thread& Stories::find(const Entry& entry) {
  std::unique_ptr<Thread>& thread = threads_[entry.conn];
  if (!thread) {
    thread = std::make_unique<Thread>();
    thread->start_ns = entry.ts_ns;
    thread->so_far.flow = entry.flow;
    const auto* wire = std::get_if<SegmentEntry>(&entry.body);
    thread->so_far.forwarded = wire != nullptr && wire->segment.on_a_hop();
  }
  return *thread;
}

void Stories::take(const Entry& entry) {
  if (entry.conn == 0 || reported_.contains(entry.conn) || std::holds_alternative<SampleEntry>(entry.body)) return;
  Thread& thread = find(entry);
  const StoryWords& words = words_of(thread.so_far);
  words.count(entry, thread.so_far);
  Phrase phrase = words.phrase(entry, thread.so_far);
  if (!phrase.text.empty()) add_phrase(thread, entry, std::move(phrase));
}

void Stories::add_phrase(Thread& thread, const Entry& entry, Phrase phrase) {
  const std::int64_t offset = std::max(entry.ts_ns - thread.start_ns, thread.last_ns);
  if (phrase.goes_on) {
    if (thread.run.count != 0) {
      thread.run.went_on++;
      if (thread.run.count == 1) thread.run.text += phrase.text;
    } else if (Sentence* newest = thread.newest(); newest != nullptr && newest->text.size() < longest_sentence) {
      newest->text += phrase.text;
      bytes_ += phrase.text.size();
    } else {
      thread.no_room++;
    }
    return;
  }
  const bool alike = phrase.topic != Topic::none && phrase.topic == thread.topic;
  thread.alike = alike ? thread.alike + 1 : 1;
  if (alike && thread.alike > limits_.alike) {
    Thread::Run& run = thread.run;
    if (run.count++ == 0) {
      run.from_ns = offset;
      run.id = entry.id;
      run.text = std::move(phrase.text);
    }
    run.until_ns = offset;
    return;
  }
  close_run(thread);
  thread.topic = phrase.topic;
  describe_quiet(thread, offset);
  add(thread, {.offset_ns = offset, .id = entry.id, .text = std::move(phrase.text)});
}

void Stories::close_run(Thread& thread) {
  if (thread.run.count == 0) return;
  const Thread::Run run = std::exchange(thread.run, {});
  std::string text = run.count == 1 ? run.text : summed_up(thread.topic, run.count, run.went_on);
  if (run.count > 1 && run.until_ns > run.from_ns) text += fmt::format(", the last at {}", until_mark);
  add(thread,
      {.offset_ns = run.from_ns, .id = run.id, .text = std::move(text), .events = run.count, .until_ns = run.until_ns});
  thread.last_ns = std::max(thread.last_ns, run.until_ns);
}

// Payload that was not reported yet.
void Stories::describe_quiet(Thread& thread, std::int64_t until_ns) {
  StoryState& so_far = thread.so_far;
  const std::uint64_t sent = so_far.known.sent - so_far.rendered.sent;
  const std::uint64_t received = so_far.known.received - so_far.rendered.received;
  if (sent == 0 && received == 0) return;
  so_far.rendered = so_far.known;
  add(thread, {.offset_ns = thread.last_ns,
               .id = 0,
               .text = fmt::format("Until {} {}", until_mark, words_of(so_far).passed(so_far, sent, received)),
               .events = 0,
               .until_ns = until_ns,
               .payload = true});
}

void Stories::add(Thread& thread, Sentence sentence) {
  thread.last_ns = std::max(thread.last_ns, sentence.offset_ns);
  const std::size_t size = bytes_of(sentence);
  thread.newest_kept = bytes_ + size <= limits_.bytes;
  if (!thread.newest_kept) {
    thread.no_room += sentence.events;
    return;
  }
  bytes_ += size;
  if (thread.first.size() < limits_.first) {
    thread.first.push_back(std::move(sentence));
    return;
  }
  if (!thread.rest) thread.rest = std::make_unique<std::deque<Sentence>>();
  thread.rest->push_back(std::move(sentence));
  if (thread.rest->size() <= limits_.last) return;
  thread.left_out += thread.rest->front().events;
  bytes_ -= bytes_of(thread.rest->front());
  thread.rest->pop_front();
}

void Stories::take(const Gap& gap) {
  gaps_.push_back(gap);
  if (gaps_.size() <= gaps_kept) return;
  const Gap oldest = gaps_.front();
  gaps_.pop_front();
  Gap& next = gaps_.front();
  next.lost += oldest.lost;
  next.from_ts_ns = std::min(next.from_ts_ns, oldest.from_ts_ns);
}

void Stories::add_gaps(const Life& life, std::vector<Sentence>& sentences) const {
  std::vector<Sentence> found;
  for (const Gap& gap : gaps_) {
    if (gap.to_ts_ns < life.start_ts_ns || gap.from_ts_ns > life.ts_ns) continue;
    const std::int64_t offset = std::max<std::int64_t>(gap.from_ts_ns - life.start_ts_ns, 0);
    found.push_back({.offset_ns = offset, .id = 0, .text = lost_words(gap.lost), .events = gap.lost});
  }
  std::ranges::sort(found, {}, &Sentence::offset_ns);
  if (found.size() > gaps_in_a_story) {
    Sentence& all = found[gaps_in_a_story - 1];
    for (std::size_t i = gaps_in_a_story; i < found.size(); ++i) all.events += found[i].events;
    all.text = fmt::format("{}, the last of them at {}", lost_words(all.events), at(found.back().offset_ns));
    found.resize(gaps_in_a_story);
  }
  for (Sentence& gap : found) {
    const auto behind =
        std::ranges::find_if(sentences, [&](const Sentence& one) { return one.offset_ns > gap.offset_ns; });
    sentences.insert(behind, std::move(gap));
  }
  if (life.incomplete && found.empty()) {
    sentences.insert(sentences.begin(), {.offset_ns = 0,
                                         .id = 0,
                                         .text = "Events were lost just before; its beginning may be among them",
                                         .events = 0});
  }
}

std::vector<Sentence> Stories::end(const Life& life) {
  std::vector<Sentence> sentences;
  auto found = threads_.extract(life.conn);
  reported_.add(life.conn);
  if (life.preexisting) {
    const std::string_view when = words_.wire_alone ? "the capture began" : "tracing began";
    sentences.push_back({.offset_ns = 0,
                         .id = 0,
                         .text = fmt::format("It was open already when {}: its handshake was not seen", when),
                         .events = 0});
  }
  if (life.nat && !life.forwarded) {
    sentences.push_back(
        {.offset_ns = 0,
         .id = 0,
         .text = fmt::format("NAT on this machine: its segments have {} on the wire", nat_text(life.flow, *life.nat)),
         .events = 0});
  }
  if (!found.empty()) {
    Thread& thread = *found.mapped();
    close_run(thread);
    // The life counts from its first event, which can be one that has no sentence.
    const std::int64_t shift = std::max<std::int64_t>(thread.start_ns - life.start_ts_ns, 0);
    const auto move_in = [&](auto& from) {
      for (Sentence& sentence : from) {
        bytes_ -= std::min(bytes_, bytes_of(sentence));
        sentence.offset_ns += shift;
        if (const auto mark = sentence.text.find(until_mark); mark != std::string::npos) {
          sentence.text.replace(mark, 1, at(sentence.until_ns + shift));
        }
        sentences.push_back(std::move(sentence));
      }
    };
    move_in(thread.first);
    if (thread.left_out != 0) {
      const std::int64_t offset = sentences.empty() ? 0 : sentences.back().offset_ns;
      sentences.push_back({.offset_ns = offset,
                           .id = 0,
                           .text = fmt::format("... {} more events", grouped(thread.left_out)),
                           .events = thread.left_out});
    }
    if (thread.rest) move_in(*thread.rest);
    if (thread.no_room != 0) {
      sentences.push_back(
          {.offset_ns = thread.last_ns + shift,
           .id = 0,
           .text = fmt::format(
               "... {} more events were not kept: there was no room for the stories of so many connections at a time",
               grouped(thread.no_room)),
           .events = thread.no_room});
    }
  }
  // What passed in one go is all that the life's line has.
  const auto payload = std::ranges::find_if(sentences, &Sentence::payload);
  const bool alone = payload != sentences.end() && std::ranges::count_if(sentences, &Sentence::payload) == 1;
  const auto problem = [](const Finding& finding) { return is_problem(finding.rule); };
  if (alone && life.outcome == Outcome::completed && std::ranges::none_of(life.findings, problem))
    sentences.erase(payload);
  add_gaps(life, sentences);
  return sentences;
}

}  // namespace tcpwitness
