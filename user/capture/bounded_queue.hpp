// SPDX-License-Identifier: Apache-2.0
// bounded_queue.hpp: batches from one thread to another, in order, a bounded number on their way.
//
// Who has to wait sleeps until several batches, or room for several, are there: a wake-up costs as much as a tenth of
// the work on a batch.
// Empty batches come back to be filled again, so nothing is allocated after the first ones.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace tcpwitness {

template <typename Batch>
class BoundedQueue {
 public:
  // The filler: an empty batch; then the full one. push() waits while the other side is behind, and is false once
  // that side has stopped.
  Batch spare() {
    const std::scoped_lock lock(mutex_);
    if (empty_.empty()) return {};
    Batch batch = std::move(empty_.back());
    empty_.pop_back();
    return batch;
  }
  bool push(Batch batch) {
    std::unique_lock lock(mutex_);
    if (full_.size() >= on_the_way) changed_.wait(lock, [&] { return full_.size() <= worth_waking || stopped_; });
    if (stopped_) return false;
    full_.push_back(std::move(batch));
    if (full_.size() == worth_waking) changed_.notify_one();
    return true;
  }
  void close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    changed_.notify_one();
  }

  // The other side: the next batch, nothing after the last one; what it is done with; that it needs no more.
  std::optional<Batch> take() {
    std::unique_lock lock(mutex_);
    if (full_.empty()) changed_.wait(lock, [&] { return full_.size() >= worth_waking || closed_; });
    if (full_.empty()) return std::nullopt;
    Batch batch = std::move(full_.front());
    full_.pop_front();
    if (full_.size() == worth_waking) changed_.notify_one();
    return batch;
  }
  void recycle(Batch batch) {
    const std::scoped_lock lock(mutex_);
    empty_.push_back(std::move(batch));
  }
  void stop() {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }

 private:
  static constexpr std::size_t on_the_way = 16;
  static constexpr std::size_t worth_waking = on_the_way / 2;

  std::mutex mutex_;
  std::condition_variable changed_;  // one waits at a time: a filler for room, or the other side for a batch
  std::deque<Batch> full_;
  std::deque<Batch> empty_;
  bool closed_ = false;
  bool stopped_ = false;
};

}  // namespace tcpwitness
