// SPDX-License-Identifier: Apache-2.0
#include "recording/marks.hpp"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <string_view>

#include "tcpwitness/event_abi.h"
#include "values/number.hpp"

namespace tcpwitness {
namespace {

constexpr std::string_view magic = "tcpw";
constexpr std::uint16_t version = 1;
constexpr std::size_t head_bytes = 8;

// ---- Writing ----

void put(std::string& out, std::string_view name, std::string_view text) {
  out.append(name).push_back('=');
  for (const char c : text) {
    switch (c) {
      case '\\':
        out.append("\\\\");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\t':
        out.append("\\t");
        break;
      case '\0':
        break;
      default:
        out.push_back(c);
    }
  }
  out.push_back('\n');
}
template <typename Number>
  requires std::is_integral_v<Number>
void put(std::string& out, std::string_view name, Number number) {
  fmt::format_to(std::back_inserter(out), "{}={:d}\n", name, number);
}

void write(std::string& out, const StartMark& start) {
  put(out, "abi", TW_ABI_VERSION);
  put(out, "started", start.started_ns);
  put(out, "part", start.part);
  put(out, "offset", start.offset_ns);
  put(out, "ready", start.ready.ts_ns);
  put(out, "version", start.ready.version);
  put(out, "kernel", start.ready.kernel);
  put(out, "ring_bytes", start.ready.ring_bytes);
  put(out, "kernel_heard", start.has_kernel);
  put(out, "wire_heard", start.has_wire);
  put(out, "every_segment", start.every_segment);
  if (start.forwarded) put(out, "forwarded", start.forwarded);
  if (!start.every_interface) put(out, "every_interface", start.every_interface);
  put(out, "hold", start.hold_ns);
  put(out, "stuck_after", start.close_wait_stuck_ns);
  put(out, "pid", start.pid);
  put(out, "comm", start.comm);
  put(out, "count", start.count);
  put(out, "snaplen", start.snaplen);
  put(out, "flight", start.flight);
  for (const std::string& reason : start.reset_reasons) put(out, "reset_reason", reason);
  for (const std::string& reason : start.drop_reasons) put(out, "drop_reason", reason);
  for (const Hook& hook : start.ready.hooks) {
    put(out, "hook", hook.name);
    put(out, "hook_target", hook.target);
    put(out, "hook_mode", hook.mode);
    put(out, "hook_why", hook.why);
  }
}
void write(std::string& out, const InterfaceMark& interface) {
  put(out, "index", interface.index);
  put(out, "name", interface.name);
}
void write(std::string& out, const TickMark& tick) { put(out, "now", tick.now); }
void write(std::string& out, const AccountMark& account) {
  put(out, "now", account.now);
  put(out, "cpu", account.cpu);
  put(out, "lost", account.lost);
  if (account.from != 0) put(out, "from", account.from);
}
void write(std::string& out, const HoleMark& hole) {
  put(out, "blocks", hole.blocks);
  put(out, "why", hole.why);
}
void write(std::string& out, const EndMark& end) {
  put(out, "now", end.now);
  put(out, "last_event", end.last_id);
  put(out, "continued", end.continued);
  put(out, "malformed", end.malformed);
  put(out, "skipped", end.skipped);
  put(out, "flows_full", end.flows_full);
  put(out, "unaccounted", end.unaccounted);
}
void write(std::string& out, const ClockMark& clock) {
  put(out, "from", clock.from);
  put(out, "ahead", clock.ahead_ns);
}
void write(std::string& out, const ListedMark& listed) { put(out, "begun", listed.begun); }
void write(std::string& out, const UntracedMark& untraced) {
  put(out, "from", untraced.from);
  put(out, "now", untraced.now);
}

// ---- Reading ----

struct Field {
  std::string_view name;
  std::string text;
};

// Takes fields out of lines and remembers the first thing that was wrong.
class Fields {
 public:
  explicit Fields(std::string_view lines) {
    lines = lines.substr(0, lines.find('\0'));  // the block's padding
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      const std::string_view line = lines.substr(0, end);
      const std::size_t equals = line.find('=');
      if (end == std::string_view::npos || equals == std::string_view::npos) {
        fail(fmt::format("'{}' is no line of NAME=TEXT", line.substr(0, 40)));
        return;
      }
      fields_.push_back({line.substr(0, equals), plain(line.substr(equals + 1))});
      lines.remove_prefix(end + 1);
    }
  }
  [[nodiscard]] const std::vector<Field>& all() const { return fields_; }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

  std::string text(std::string_view name) {
    for (const Field& field : fields_) {
      if (field.name == name) return field.text;
    }
    fail(fmt::format("it does not say '{}'", name));
    return {};
  }
  template <typename Number>
  Number number(std::string_view name, Number low = std::numeric_limits<Number>::min(),
                Number high = std::numeric_limits<Number>::max()) {
    const std::string digits = text(name);
    const auto value = number_in<Number>(digits);
    if (value && *value >= low && *value <= high) return *value;
    fail(fmt::format("its '{}' is '{}', not a number from {} to {}", name, digits.substr(0, 40), low, high));
    return low;
  }
  bool yes(std::string_view name) { return number<std::uint8_t>(name, 0, 1) == 1; }
  TimeNs time(std::string_view name) { return number<TimeNs>(name, 0, time_limit); }

 private:
  static std::string plain(std::string_view escaped) {
    std::string text;
    for (std::size_t i = 0; i < escaped.size(); ++i) {
      char c = escaped[i];
      if (c == '\\' && i + 1 < escaped.size()) {
        c = escaped[++i];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
      }
      text.push_back(c);
    }
    return text;
  }
  void fail(std::string why) {
    if (wrong_.empty()) wrong_ = std::move(why);
  }

  std::vector<Field> fields_;
  std::string wrong_;
};

void read(Fields& fields, StartMark& start) {
  start.started_ns = fields.time("started");
  start.part = fields.number<std::uint32_t>("part", 1);
  start.offset_ns = fields.number<std::int64_t>("offset");
  start.ready.ts_ns = fields.time("ready");
  start.ready.version = fields.text("version");
  start.ready.kernel = fields.text("kernel");
  start.ready.ring_bytes = fields.number<std::uint64_t>("ring_bytes");
  start.has_kernel = fields.yes("kernel_heard");
  start.has_wire = fields.yes("wire_heard");
  start.every_segment = fields.yes("every_segment");
  start.hold_ns = fields.number<std::int64_t>("hold", 0, 10'000'000'000);
  start.close_wait_stuck_ns = fields.number<std::int64_t>("stuck_after", 0, time_limit / 4);
  start.pid = fields.number<std::uint32_t>("pid");
  start.comm = fields.text("comm");
  start.count = fields.number<std::uint64_t>("count");
  start.snaplen = fields.number<std::uint32_t>("snaplen", 0, TW_SNAPLEN_MAX);
  start.flight = fields.yes("flight");
  for (const Field& field : fields.all()) {
    if (field.name == "forwarded") start.forwarded = field.text == "1";
    if (field.name == "every_interface") start.every_interface = field.text == "1";
    if (field.name == "reset_reason") start.reset_reasons.push_back(field.text);
    if (field.name == "drop_reason") start.drop_reasons.push_back(field.text);
    if (field.name == "hook")
      start.ready.hooks.push_back(Hook{.name = field.text, .target = {}, .mode = {}, .why = {}});
    if (start.ready.hooks.empty()) continue;
    Hook& hook = start.ready.hooks.back();
    if (field.name == "hook_target") hook.target = field.text;
    if (field.name == "hook_mode") hook.mode = field.text;
    if (field.name == "hook_why") hook.why = field.text;
  }
}
void read(Fields& fields, InterfaceMark& interface) {
  interface.index = fields.number<std::uint32_t>("index");
  interface.name = fields.text("name");
}
void read(Fields& fields, TickMark& tick) { tick.now = fields.time("now"); }
void read(Fields& fields, AccountMark& account) {
  account.now = fields.time("now");
  account.cpu = fields.number<std::uint32_t>("cpu");
  account.lost = fields.number<std::uint64_t>("lost");
  if (account.cpu == no_cpu) account.from = fields.time("from");
}
void read(Fields& fields, HoleMark& hole) {
  hole.blocks = fields.number<std::uint64_t>("blocks");
  hole.why = fields.text("why");
}
void read(Fields& fields, EndMark& end) {
  end.now = fields.time("now");
  end.last_id = fields.number<EventId>("last_event", 0, EventId{1} << 62U);
  end.continued = fields.text("continued");
  end.malformed = fields.number<std::uint64_t>("malformed");
  end.skipped = fields.number<std::uint64_t>("skipped");
  end.flows_full = fields.number<std::uint64_t>("flows_full");
  end.unaccounted = fields.number<std::uint64_t>("unaccounted");
}
void read(Fields& fields, ListedMark& listed) { listed.begun = fields.time("begun"); }
void read(Fields& fields, UntracedMark& untraced) {
  untraced.from = fields.time("from");
  untraced.now = fields.time("now");
}
void read(Fields& fields, ClockMark& clock) {
  clock.from = fields.time("from");
  clock.ahead_ns = fields.number<std::int64_t>("ahead", -time_limit / 4, time_limit / 4);
}

// The kind on disk is the alternative's index.
template <std::size_t index = 0>
bool emplace(RecordingMark& mark, std::size_t kind) {
  if constexpr (index < std::variant_size_v<RecordingMark>) {
    if (kind != index) return emplace<index + 1>(mark, kind);
    mark.emplace<index>();
    return true;
  } else {
    return false;
  }
}

}  // namespace

std::string mark_body(const RecordingMark& mark) {
  std::string body(magic);
  const std::uint16_t head[2] = {version, static_cast<std::uint16_t>(mark.index())};
  body.append(reinterpret_cast<const char*>(head), sizeof head);
  std::visit([&](const auto& one) { write(body, one); }, mark);
  return body;
}

Result<std::optional<RecordingMark>> read_mark(std::span<const std::byte> body) {
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  if (!text.starts_with(magic)) return std::nullopt;
  const auto broken = [](std::string why) { return failure("read a mark of the recording", std::move(why)); };
  if (text.size() < head_bytes) return broken("it is cut short");
  std::uint16_t head[2];
  std::memcpy(head, text.data() + magic.size(), sizeof head);
  if (head[0] != version) {
    return failure("read the recording",
                   fmt::format("its marks are of version {}, and this program knows {}", head[0], version),
                   "use the tcpwitness that wrote it, or a newer one");
  }
  RecordingMark mark;
  if (!emplace(mark, head[1])) return broken(fmt::format("there is no kind {}", head[1]));
  Fields fields(text.substr(head_bytes));
  if (std::holds_alternative<StartMark>(mark)) {
    // Before anything else: of another layout, the rest may have other names.
    const auto abi = fields.number<std::uint32_t>("abi");
    if (fields.wrong().empty() && abi != TW_ABI_VERSION) {
      return failure("read the recording",
                     fmt::format("its events are of layout {}, and this program knows {}", abi, TW_ABI_VERSION),
                     "use the tcpwitness that wrote it");
    }
  }
  std::visit([&](auto& one) { read(fields, one); }, mark);
  if (!fields.wrong().empty()) return broken(fields.wrong());
  return mark;
}

}  // namespace tcpwitness
