// SPDX-License-Identifier: Apache-2.0
// unpack.hpp: gzip and zstd, recognised by their first bytes and unpacked on the way.
//
// Several members (frames) one after the other are one file, as gzip and zstd themselves have it. Packed data that
// ends or breaks in the middle is a failure of the source, after all that could be unpacked.
#pragma once

#include <memory>
#include <span>

#include "capture/byte_window.hpp"

namespace tcpwitness {

[[nodiscard]] bool is_gzip(std::span<const std::byte> first_bytes);
[[nodiscard]] bool is_zstd(std::span<const std::byte> first_bytes);

[[nodiscard]] std::unique_ptr<ByteSource> unpack_gzip(std::unique_ptr<ByteSource> packed);
[[nodiscard]] std::unique_ptr<ByteSource> unpack_zstd(std::unique_ptr<ByteSource> packed);

}  // namespace tcpwitness
