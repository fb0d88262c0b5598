// SPDX-License-Identifier: Apache-2.0
// links.hpp: the interfaces of this network namespace, followed by rtnetlink(7).
//
// Subscribed before the first dump, so that no change falls between the two. Where the kernel had to drop notices
// (ENOBUFS) the table is read again and compared. Only libmnl is known here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "probe/interfaces.hpp"
#include "tcpwitness/result.hpp"

struct nl_msg;  // NOLINT(readability-identifier-naming): libnl

namespace tcpwitness {

struct LinkChange {
  enum class What : std::uint8_t { appeared, changed, gone };
  What what{};
  Interface now;     // gone: as it was last
  Interface before;  // changed: as it was
};

class Links {
 public:
  static Result<std::unique_ptr<Links>> open();
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  // Readable when something has changed.
  [[nodiscard]] int fd() const;
  [[nodiscard]] const std::map<std::uint32_t, Interface>& all() const { return all_; }
  // What has changed since the last call, in order. Never waits.
  [[nodiscard]] std::vector<LinkChange> changes();
  // Link addresses are others than at the last call.
  [[nodiscard]] bool addresses_changed() { return std::exchange(addresses_changed_, false); }

 private:
  struct Socket;
  explicit Links(std::unique_ptr<Socket> socket);
  [[nodiscard]] Result<void> dump(std::vector<LinkChange>& changes);
  static int on_message(nl_msg* of, void* context);
  void learn(const Interface& interface);
  void remove(std::uint32_t index);

  std::unique_ptr<Socket> socket_;
  std::map<std::uint32_t, Interface> all_;
  bool addresses_changed_ = false;
  std::map<std::uint32_t, bool> seen_;          // by the dump that runs
  std::vector<LinkChange>* changes_ = nullptr;  // of the call that runs
};

}  // namespace tcpwitness
