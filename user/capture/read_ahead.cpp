// SPDX-License-Identifier: Apache-2.0
#include "capture/read_ahead.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace tcpwitness {
namespace {

// So large that waking the other side, once for several pieces, is little beside them.
constexpr std::size_t piece_size = std::size_t{256} * 1024;

}  // namespace

ssize_t pread_some(int fd, std::byte* to, std::size_t room, off_t at) {
  ssize_t got = 0;
  do got = ::pread(fd, to, room, at);
  while (got < 0 && errno == EINTR);
  return got;
}

bool ReadAhead::start(int fd, off_t at) {
  pieces_ = std::make_unique<Pieces>();
  // Signals are for the threads that know about them.
  sigset_t all{};
  sigset_t before{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  try {
    thread_ = std::thread([fd, at, &pieces = *pieces_] { read_on(fd, at, pieces); });
  } catch (const std::system_error&) {
    started = false;  // there are too many
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void ReadAhead::read_on(int fd, off_t at, Pieces& pieces) {
  while (true) {
    Piece piece = pieces.spare();
    if (piece.memory == nullptr) piece.memory = std::make_unique_for_overwrite<std::byte[]>(headroom + piece_size);
    const ssize_t got = pread_some(fd, piece.memory.get() + headroom, piece_size, at);
    if (got <= 0) break;
    at += got;
    piece.size = static_cast<std::size_t>(got);
    if (!pieces.push(std::move(piece))) return;
  }
  pieces.close();
}

std::span<const std::byte> ReadAhead::next(std::span<const std::byte> rest) {
  std::optional<Piece> piece = pieces_->take();
  if (!piece) return {};
  std::byte* const from = piece->memory.get() + headroom - rest.size();
  std::copy(rest.begin(), rest.end(), from);
  if (lent_) pieces_->recycle(std::move(*lent_));
  lent_ = std::move(piece);
  return {from, rest.size() + lent_->size};
}

void ReadAhead::stop() {
  if (!running()) return;
  pieces_->stop();
  thread_.join();
}

}  // namespace tcpwitness
