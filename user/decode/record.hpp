// SPDX-License-Identifier: Apache-2.0
// record.hpp: one record as the kernel wrote it, for those who ask something of it before it is an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "tcpwitness/event.hpp"

namespace tcpwitness {

using SocketCookie = std::uint64_t;

// The socket that it is of. 0: of none, or it is too short for a record.
[[nodiscard]] SocketCookie socket_of(std::span<const std::byte> record);
// When it was written, by the kernel's clock (ns). Nothing: it is too short for a record.
[[nodiscard]] std::optional<std::uint64_t> time_in(std::span<const std::byte> record);
// The socket whose end it reports, alone or among other things.
[[nodiscard]] std::optional<SocketCookie> destroyed_socket(std::span<const std::byte> record);

// Its body, where it is of that kind.
[[nodiscard]] std::optional<Sample> sample_in(std::span<const std::byte> record);
[[nodiscard]] std::optional<SocketFound> socket_in(std::span<const std::byte> record);
[[nodiscard]] std::optional<OwnerSeen> owner_in(std::span<const std::byte> record);

// Another number where the connection has sent, or was acknowledged, or sends otherwise.
[[nodiscard]] std::uint64_t fingerprint(const Sample& sample);

[[nodiscard]] std::string name_of(const Actor& actor);

}  // namespace tcpwitness
