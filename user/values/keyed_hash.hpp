// SPDX-License-Identifier: Apache-2.0
// keyed_hash.hpp: the hash of an address pair, with a key that is chosen at random when the process starts.
//
// Who sends us segments chooses addresses and ports. Without the key it cannot choose ones that share a bucket (a table
// of 60,000 such flows took minutes to fill). NH of UMAC (RFC 4418, section 5.2): a multiplication for each 16 bytes.
#pragma once

#include <array>
#include <cstdint>

namespace tcpwitness {

using HashWords = std::array<std::uint64_t, 6>;

class HashKey {
 public:
  // From getrandom(2), or what the kernel gave this process at its begin.
  HashKey();
  explicit HashKey(const std::array<std::uint64_t, 8>& key) : key_(key) {}

  [[nodiscard]] std::uint32_t hash(const HashWords& words) const {
    Wide sum = 0;
    for (std::size_t i = 0; i < words.size(); i += 2) sum += Wide{words[i] + key_[i]} * (words[i + 1] + key_[i + 1]);
    const Wide folded =
        Wide{static_cast<std::uint64_t>(sum) ^ key_[6]} * (static_cast<std::uint64_t>(sum >> 64) ^ key_[7]);
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(folded) ^ static_cast<std::uint64_t>(folded >> 64)) >>
                                      32);
  }

  // The one that this process uses.
  static const HashKey process;

 private:
  __extension__ using Wide = unsigned __int128;
  std::array<std::uint64_t, 8> key_{};
};

}  // namespace tcpwitness
