// SPDX-License-Identifier: Apache-2.0
// attempts.hpp: connection attempts second by second, and how many single reports a second may have.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "facts/crowd.hpp"

namespace tcpwitness {

// Second by second. What a second began has another one to complete.
class AttemptsBySecond {
 public:
  explicit AttemptsBySecond(bool forwarded) : forwarded_(forwarded) {}
  void begun(EventId id, TimeNs ts, const Flow& flow);
  void answered(bool by_cookie);
  void answer_dropped(std::uint32_t reason);
  void completed() { count(&Attempts::completed); }
  void refused() { count(&Attempts::refused); }
  // The next one whose time is over, or the run.
  [[nodiscard]] std::optional<Attempts> due(TimeNs now, bool finished);
  [[nodiscard]] bool empty() const { return !newest_ && !before_; }

 private:
  void count(std::uint64_t Attempts::* what);

  bool forwarded_;
  std::unique_ptr<Attempts> newest_;
  std::unique_ptr<Attempts> before_;  // these may still complete
};

// The first few of each second.
class FirstOfEachSecond {
 public:
  explicit FirstOfEachSecond(std::uint32_t limit) : limit_(limit) {}
  [[nodiscard]] bool take(TimeNs now) {
    if (now - second_ns_ >= 1'000'000'000 || second_ns_ - now >= 1'000'000'000) {
      second_ns_ = now;
      taken_ = 0;
    }
    if (taken_ >= limit_) return false;
    ++taken_;
    return true;
  }

 private:
  std::uint32_t limit_;
  std::uint32_t taken_ = 0;
  TimeNs second_ns_ = 0;
};

// The others, added up.
class RestOfEachSecond {
 public:
  void add(EventId id, TimeNs ts, const Flow& flow, std::uint64_t count = 1) {
    if (!crowd_) crowd_ = std::make_unique<Crowd>();
    crowd_->add(id, ts, flow, count);
  }
  // The sum, where its second or the run is over.
  [[nodiscard]] std::optional<Crowd> due(TimeNs now, bool finished);
  [[nodiscard]] bool empty() const { return !crowd_; }

 private:
  std::unique_ptr<Crowd> crowd_;
};

}  // namespace tcpwitness
