// SPDX-License-Identifier: Apache-2.0
#include "recording/recording.hpp"

#include <fmt/format.h>

#include <cstring>

#include "recording/journal.hpp"
#include "recording/pcapng.hpp"
#include "values/number.hpp"

namespace tcpwitness {
namespace {

constexpr EventId id_limit = EventId{1} << 62U;

std::unexpected<Error> broken(const CaptureBlock& block, const std::string& why) {
  return failure("read the recording", fmt::format("the block at byte {} {}", block.offset, why));
}

// The value of a packet block's option.
std::optional<std::span<const std::byte>> option(std::span<const std::byte> options, std::uint16_t wanted) {
  while (options.size() >= 4) {
    std::uint16_t head[2];
    std::memcpy(head, options.data(), sizeof head);
    const std::size_t padded = (std::size_t{head[1]} + 3U) & ~std::size_t{3};
    options = options.subspan(4);
    if (head[0] == 0 || padded > options.size()) return std::nullopt;
    if (head[0] == wanted) return options.first(head[1]);
    options = options.subspan(padded);
  }
  return std::nullopt;
}

Result<std::optional<RecordingStep>> event_of(const CaptureBlock& block, EventId id,
                                              std::span<const std::byte> record) {
  if (id == 0 || id >= id_limit) return broken(block, fmt::format("has the event number {}", id));
  return RecordedEvent{.id = id, .record = record};
}

Result<std::optional<RecordingStep>> packet(const CaptureBlock& block) {
  const auto record = option(block.options, record_option);
  const auto id_bytes = option(block.options, pcapng::packet_id_option);
  if (!record || !id_bytes || id_bytes->size() != sizeof(EventId))
    return broken(block, fmt::format("is a packet (frame {}) that tcpwitness did not write", block.number));
  EventId id = 0;
  std::memcpy(&id, id_bytes->data(), sizeof id);
  return event_of(block, id, *record);
}

Result<std::optional<RecordingStep>> journal(const CaptureBlock& block) {
  const auto record = journal_field(block.bytes, "TCPWITNESS_RECORD");
  if (!record) return std::nullopt;
  const auto id_text = journal_field(block.bytes, "TCPWITNESS_EVENT");
  if (!id_text) return broken(block, "is an event without a number");
  const std::string_view digits(reinterpret_cast<const char*>(id_text->data()), id_text->size());
  const auto id = number_in<EventId>(digits);
  if (!id) return broken(block, fmt::format("has the event number '{}'", digits.substr(0, 20)));
  return event_of(block, *id, *record);
}

Result<std::optional<RecordingStep>> copy(const CaptureBlock& block) {
  EventId id = 0;
  if (block.bytes.size() < sizeof id) return broken(block, "is too short for an event");
  std::memcpy(&id, block.bytes.data(), sizeof id);
  return event_of(block, id, block.bytes.subspan(sizeof id));
}

Result<std::optional<RecordingStep>> local(const CaptureBlock& block) {
  if (block.type == copy_block) return copy(block);
  if (block.type != mark_block) return std::nullopt;
  auto mark = read_mark(block.bytes);
  if (!mark) {
    Error error = mark.error();
    error.why = fmt::format("the block at byte {}: {}", block.offset, error.why);
    return std::unexpected(std::move(error));
  }
  if (!*mark) return std::nullopt;
  return std::move(**mark);
}

}  // namespace

bool is_recording(const CaptureFile& file) { return file.application().starts_with("tcpwitness "); }

Result<std::optional<RecordingStep>> read_step(const CaptureBlock& block) {
  if (block.swapped) {
    return failure("read the recording", "it was written on a machine of the other byte order",
                   "read it on a machine like that one; Wireshark reads it anywhere");
  }
  switch (block.kind) {
    case CaptureBlock::Kind::frame:
      return packet(block);
    case CaptureBlock::Kind::journal:
      return journal(block);
    case CaptureBlock::Kind::local:
      return local(block);
  }
  return std::nullopt;
}

}  // namespace tcpwitness
