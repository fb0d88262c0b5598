// SPDX-License-Identifier: Apache-2.0
// model.hpp: what `top` shows, added up from reports in bounded memory.
//
// A connection counts where it is: while it is open each look at it (Interim) brings what has passed since the look
// before, its end (Life) brings the rest. So bytes belong to the interval in which they passed, as far as a look or an
// event showed them. What was before the first look at a connection that is older than the run counts nowhere.
//
// Groups beyond the limit, and groups that nobody uses any more when there are many, are added to `other`: the rows and
// `other` together are always the total.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tcpwitness/report.hpp"

namespace tcpwitness::top {

struct Counts {
  std::uint64_t begun = 0;  // connections
  std::uint64_t ended = 0;
  std::uint64_t bad = 0;     // with a bad outcome, or with a finding other than time-wait as soon as there is one
  std::uint64_t resets = 0;  // of those that ended, by a RST
  std::uint64_t tx = 0;      // bytes
  std::uint64_t rx = 0;
  std::uint64_t retransmits_out = 0;  // segments
  std::uint64_t retransmits_in = 0;

  Counts& operator+=(const Counts& more);
  bool operator==(const Counts&) const = default;
};

struct Group {
  std::string name;
  std::uint32_t pid = 0;       // of a process
  std::uint64_t open = 0;      // connections, at the newest look
  std::uint64_t open_now = 0;  // of the look that goes on
  Counts now;                  // of the interval that is not over
  Counts last;                 // of the one before
  Counts total;
  std::uint64_t used = 0;  // the newest interval in which it had anything
};

struct Connection {
  ConnectionId conn = 0;
  Flow flow;
  std::uint32_t pid = 0;
  std::array<char, 16> comm{};
  Role role = Role::unknown;
  TcpState state = TcpState::unknown;
  Outcome outcome = Outcome::open;
  bool open = true;
  bool bad = false;
  bool counted_bad = false;     // it was open then
  std::optional<Rule> finding;  // the first that is a problem
  TimeNs start_ns = 0;
  TimeNs end_ns = 0;
  Counts now;
  Counts last;
  Counts total;
  std::uint64_t seen = 0;  // the newest look that showed it

  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::int64_t age(TimeNs now_ns) const { return (open ? now_ns : end_ns) - start_ns; }
};

// A line of the findings' pane.
struct Line {
  TimeNs ts_ns = 0;
  ConnectionId conn = 0;  // 0: of none
  std::string title{};    // "retransmission (certain)", "events lost"; "": a message of the program
  std::string where{};    // both ends
  std::string text{};
  bool loud = false;  // something is missing
};

// Per second, of each interval that is over, the newest last.
struct Sample {
  double begun = 0;
  double tx = 0;
  double rx = 0;
  double retransmits_out = 0;
  double retransmits_in = 0;
  double resets = 0;
  double lost = 0;
  double open = 0;
};

enum class By : std::uint8_t { process, remote, listener };
inline constexpr std::size_t by_count = 3;

struct Limits {
  std::size_t groups = 1024;  // of each table
  std::size_t open = 16'384;
  std::size_t ended = 1'024;  // the newest, and as many bad ones
  std::size_t lines = 500;
  std::size_t samples = 256;
};

class Model {
 public:
  explicit Model(Limits limits = {});

  // Life, Interim, FindingReport and GapReport; an empty Interim ends the interval. Others are nothing to it.
  void take(const Report& report);
  // A message of the program.
  void say(TimeNs now, std::string text);

  [[nodiscard]] const std::deque<Sample>& samples() const { return samples_; }
  [[nodiscard]] std::vector<const Group*> groups(By by) const;
  [[nodiscard]] const Group& other(By by) const { return tables_[static_cast<std::size_t>(by)].other; }
  [[nodiscard]] std::size_t in_other(By by) const { return tables_[static_cast<std::size_t>(by)].folded; }
  // Open ones, and those of the ended ones that are remembered.
  [[nodiscard]] std::vector<const Connection*> connections() const;
  [[nodiscard]] const Connection* find(ConnectionId conn) const;
  [[nodiscard]] const std::deque<Line>& lines() const { return lines_; }
  [[nodiscard]] const Counts& total() const { return total_; }
  [[nodiscard]] std::uint64_t open() const { return open_; }
  // Open connections of which there was no room for the counters: their bytes count when they end.
  [[nodiscard]] std::uint64_t not_followed() const { return not_followed_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] double seconds() const { return seconds_; }  // of the newest interval that is over
  [[nodiscard]] TimeNs now() const { return now_ns_; }
  [[nodiscard]] std::uint64_t ended_last() const { return ended_last_; }  // connections, in that interval
  [[nodiscard]] std::uint64_t ended_now() const { return now_.ended; }    // in the one that is not over

 private:
  struct Key {
    std::array<std::uint64_t, 3> words{};
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Table {
    std::unordered_map<Key, Group, Hash> rows;
    Group other;
    std::size_t folded = 0;  // groups that were added to `other`
  };

  void end(const Life& life);
  void look(const Life& life);
  void end_interval(TimeNs now);
  void find_line(const FindingReport& report);
  void add_line(Line line);
  // What has passed since the connection was last looked at.
  static Counts since(const Counts& before, const Life& life);
  void count(const Life& life, const Counts& counts, bool open);
  Group& group(By by, const Life& life);
  static Key key_of(By by, const Life& life);
  static std::string name_of(By by, const Life& life);
  void fold(Table& table) const;
  void remember(const Connection& connection);

  Limits limits_;
  std::array<Table, by_count> tables_;
  std::unordered_map<ConnectionId, Connection> followed_;
  std::deque<Connection> ended_;
  std::deque<Connection> ended_bad_;
  std::deque<Line> lines_;
  std::deque<Sample> samples_;
  Counts now_;
  Counts total_;
  std::uint64_t open_ = 0;
  std::uint64_t open_now_ = 0;  // of the look that goes on
  std::uint64_t not_followed_ = 0;
  std::uint64_t not_followed_now_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_now_ = 0;
  std::uint64_t ended_last_ = 0;
  std::uint64_t interval_ = 1;
  TimeNs begun_ns_ = 0;  // of the interval
  TimeNs now_ns_ = 0;
  double seconds_ = 1;
};

[[nodiscard]] bool is_reset(const Life& life);

}  // namespace tcpwitness::top
