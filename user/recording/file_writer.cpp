// SPDX-License-Identifier: Apache-2.0
#include "recording/file_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "recording/journal.hpp"
#include "recording/marks.hpp"
#include "values/safe_open.hpp"
#include "values/thread_refused.hpp"
#include "values/unique_fd.hpp"

namespace tcpwitness {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int poll_ms = 100;
constexpr std::string_view standard_output = "-";

// Others refer to it, or nothing can be read without it.
bool is_needed(std::uint32_t type, std::span<const std::byte> block) {
  if (type == pcapng::section_block || type == pcapng::interface_block) return true;
  if (type != mark_block) return false;
  const auto mark = read_mark(block.subspan(8, block.size() - 12));
  return mark && *mark &&
         (std::holds_alternative<StartMark>(**mark) || std::holds_alternative<InterfaceMark>(**mark) ||
          std::holds_alternative<ClockMark>(**mark));
}

pcapng::Blocks hole(std::uint64_t blocks) {
  const HoleMark mark{.blocks = blocks, .why = "could not be written"};
  pcapng::Blocks out;
  const std::string body = mark_body(mark);
  pcapng::append_block(out, mark_block, std::as_bytes(std::span(body)));
  JournalEntry entry;
  entry.text("__REALTIME_TIMESTAMP", fmt::format("{}", std::time(nullptr) * 1'000'000));
  entry.text("PRIORITY", "4");
  entry.text("SYSLOG_IDENTIFIER", "tcpwitness");
  entry.text("MESSAGE", fmt::format("{} blocks before this {}", blocks, mark.why));
  entry.text("TCPWITNESS_TYPE", "hole");
  pcapng::append_block(out, pcapng::journal_block, entry.bytes());
  return out;
}

}  // namespace

FileWriter::FileWriter(Settings settings, std::string path, pcapng::Blocks prologue, Notice notice)
    : settings_(std::move(settings)), notice_(std::move(notice)) {
  prepare(std::move(path), std::move(prologue));
  if (!open()) return;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    wrong_ = thread_refused("start a thread that writes the recording", error);
  }
}

FileWriter::~FileWriter() {
  if (thread_.joinable()) (void)finish();
}

void FileWriter::write(pcapng::Blocks blocks) {
  if (!blocks.empty()) handed_.push_back(Job{.blocks = std::move(blocks), .path = {}, .lost_before = 0});
  hand_over(false);
}

void FileWriter::next_file(std::string path, pcapng::Blocks prologue) {
  handed_.push_back(Job{.blocks = std::move(prologue), .path = std::move(path), .lost_before = 0});
  hand_over(false);
}

void FileWriter::hand_over(bool wait) {
  if (handed_.empty()) return;
  std::unique_lock lock(mutex_, std::defer_lock);
  if (wait) {
    lock.lock();
  } else if (!lock.try_lock()) {
    return;  // the next time
  }
  for (; !handed_.empty(); handed_.pop_front()) queue(std::move(handed_.front()));
  changed_.notify_all();
}

// With the lock. The beginning of a file always finds room.
void FileWriter::queue(Job job) {
  job.lost_before = dropped_;
  if (job.path.empty() && queued_bytes_ + job.blocks.size() > settings_.queue_bytes) {
    // Only what others need stays.
    pcapng::Blocks needed;
    pcapng::for_each_block(job.blocks, [&](std::uint32_t type, std::span<const std::byte> block) {
      if (is_needed(type, block))
        needed.insert(needed.end(), block.begin(), block.end());
      else
        ++dropped_;
    });
    if (needed.empty()) return;
    job.blocks = std::move(needed);
    job.lost_before = dropped_;
  }
  dropped_ = 0;
  queued_bytes_ += job.blocks.size();
  queue_.push_back(std::move(job));
}

RecordingTotals FileWriter::finish() {
  if (!thread_.joinable()) return totals_;
  hand_over(true);
  {
    std::unique_lock lock(mutex_);
    finishing_ = true;
    if (dropped_ > 0) queue_.push_back(Job{.blocks = {}, .path = {}, .lost_before = std::exchange(dropped_, 0)});
    changed_.notify_all();
    while (!done_) {
      const std::uint64_t before = progress_;
      if (changed_.wait_for(lock, settings_.give_up_after) == std::cv_status::timeout && progress_ == before)
        abandoned_ = true;
    }
  }
  thread_.join();
  return totals_;
}

void FileWriter::run() {
  // The tracer is at the head of every queue for the CPU; what is written may wait its turn.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 0);
  put_prologue();  // not earlier: a pipe may be full, and its reader gone
  const bool limited_by_time = settings_.limits.longest.count() != 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto something = [&] { return !queue_.empty() || finishing_; };
    if (limited_by_time) {
      if (!changed_.wait_for(lock, settings_.look_every, something)) {
        lock.unlock();
        keep_limits();
        lock.lock();
        continue;
      }
    } else {
      changed_.wait(lock, something);
    }
    if (queue_.empty()) {
      lock.unlock();
      take(Job{});  // what is missing may be marked by now
      keep_limits();
      break;
    }
    Job job = std::move(queue_.front());
    queue_.pop_front();
    const std::size_t bytes = job.blocks.size();
    lock.unlock();
    take(std::move(job));
    constexpr std::uint64_t part = 16;  // of what --max-total allows
    const std::uint64_t total = settings_.limits.total_bytes;
    const std::uint64_t look_after =
        total == 0 ? settings_.look_after_bytes : std::min<std::uint64_t>(settings_.look_after_bytes, total / part);
    const bool due =
        totals_.bytes - looked_at_bytes_ >= look_after || Clock::now() - looked_at_limits_ >= settings_.look_every;
    if (due) keep_limits();
    lock.lock();
    queued_bytes_ -= bytes;
    ++progress_;
  }
  if (fd_ >= 0) {
    say_what_others_took();
    if (regular_ && offset_ == 0 && files_.size() > 1) {  // nothing could be written to it
      (void)::unlink(path_.c_str());
      files_.pop_back();
      --totals_.files;
    }
    if (regular_ && ::close(fd_) != 0) fail(errno, "write");  // a network file system reports it here
    fd_ = -1;
  }
  if (!files_.empty()) totals_.file = files_.back();
  lock.lock();
  done_ = true;
  changed_.notify_all();
}

// What other processes did to the file meanwhile: a person's, or one that makes room.
void FileWriter::say_what_others_took() {
  struct stat file{};
  if (!has_name_ || ::fstat(fd_, &file) != 0) return;
  const bool removed = file.st_nlink == 0;
  if (!removed && !is_cut_off()) return;
  totals_.failed = true;
  notice_(fmt::format("the recording {} was {} while it was written: {}", path_, removed ? "removed" : "cut off",
                      removed ? "nothing of it is left" : "it cannot be read as a whole"));
}

// Shorter than what was written to it, now or before an earlier write: since that, zeros stand at its beginning.
bool FileWriter::is_cut_off() {
  struct stat file{};
  if (has_name_ && ::fstat(fd_, &file) == 0 && static_cast<std::uint64_t>(file.st_size) < offset_) cut_off_ = true;
  return cut_off_;
}

void FileWriter::take(Job job) {
  missing_ += job.lost_before;
  totals_.lost_blocks += job.lost_before;
  if (!job.path.empty()) {
    begin_file(std::move(job.path), std::move(job.blocks));
    return;
  }
  bool last = false;
  {
    const std::scoped_lock lock(mutex_);
    last = finishing_;
  }
  if (job.blocks.empty() && job.lost_before == 0 && !(last && missing_ > 0)) return;
  const bool wait = down_ && !last && Clock::now() < retry_at_;
  if (hopeless_ || wait || (fd_ < 0 && !open()) || !cut_off_partial_block()) {
    give_up(job.blocks);
    return;
  }
  const pcapng::Blocks first = std::exchange(carried_, {});
  if (!put(first)) {
    give_up(job.blocks);
    return;
  }
  if (missing_ > 0) {
    const std::uint64_t missing = std::exchange(missing_, 0);
    const std::uint64_t lost = totals_.lost_blocks;
    if (!put(hole(missing))) {
      missing_ = missing;
      totals_.lost_blocks = lost;  // the mark itself is no loss
      give_up(job.blocks);
      return;
    }
    marked_ += missing;
  }
  if (put(job.blocks, true)) recovered();
}

void FileWriter::remove_old() {
  while (settings_.keep != 0 && files_.size() > settings_.keep) {
    (void)remove(files_.front());
    files_.pop_front();
  }
}

// Never what is being written, here or by another recorder, which holds it locked.
bool FileWriter::remove(const std::string& path) const {
  if (is_open_as(path, fd_)) return false;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.valid() && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  return ::unlink(path.c_str()) == 0;
}

void FileWriter::keep_limits() {
  looked_at_limits_ = Clock::now();
  looked_at_bytes_ = totals_.bytes;
  const Limits& limits = settings_.limits;
  if (limits.total_bytes == 0 && limits.longest.count() == 0) return;
  for (const std::string& path : too_many(files_of_recording(settings_.pattern, fd_), limits)) {
    if (!remove(path)) continue;
    // They are all in one directory, whose name can be written in several ways.
    const auto name = std::filesystem::path(path).filename();
    std::erase_if(files_, [&](const std::string& one) { return std::filesystem::path(one).filename() == name; });
  }
}

void FileWriter::begin_file(std::string path, pcapng::Blocks prologue) {
  // The one before it holds nothing yet, and nothing can be written: it serves on, with the new one's beginning.
  const bool begun = !path_.empty() && path_ != standard_output;
  if (begun && down_ && empty_ && (fd_ < 0 || (regular_ && take_all_back()))) {
    carried_ = std::move(prologue);
    return;
  }
  if (fd_ >= 0) say_what_others_took();
  if (fd_ >= 0 && fd_ != STDOUT_FILENO && ::close(fd_) != 0) fail(errno, "write");
  prepare(std::move(path), std::move(prologue));
  if (open()) put_prologue();
}

// What was written to this file.
bool FileWriter::take_all_back() {
  if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) return false;
  totals_.bytes -= offset_;
  totals_.blocks -= file_blocks_;
  missing_ += std::exchange(marked_, 0);
  offset_ = 0;
  file_blocks_ = 0;
  partial_ = 0;
  return true;
}

void FileWriter::prepare(std::string path, pcapng::Blocks prologue) {
  fd_ = -1;
  empty_ = true;
  path_ = std::move(path);
  totals_.file = path_;
  offset_ = 0;
  file_blocks_ = 0;
  marked_ = 0;
  cut_off_ = false;
  partial_ = 0;
  carried_ = std::move(prologue);
}

void FileWriter::put_prologue() {
  const pcapng::Blocks first = std::exchange(carried_, {});
  (void)put(first);
  keep_limits();
}

// -1 with the reason. Nothing that is there is touched before the file is known to be ours.
int FileWriter::open_file(std::string& why) const {
  // Not blocking: a named pipe that nobody reads is an error to be reported, not a reason to stand still.
  constexpr int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK;
  const int fd = open_no_foreign_link(path_, flags, 0600, why);
  if (fd < 0) return -1;
  struct stat file{};
  if (::fstat(fd, &file) != 0) {
    why = std::strerror(errno);
    ::close(fd);
    return -1;
  }
  if (!S_ISREG(file.st_mode)) return fd;
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    why = "another process is recording into it";
  } else if (file.st_uid != ::geteuid()) {
    why = fmt::format("it is there already and belongs to user {}, who could read what is recorded", file.st_uid);
  } else if (::fchmod(fd, 0600) != 0 || ::ftruncate(fd, 0) != 0) {
    why = std::strerror(errno);
  } else {
    return fd;
  }
  ::close(fd);
  return -1;
}

bool FileWriter::open() {
  std::string why;
  fd_ = path_ == standard_output ? STDOUT_FILENO : open_file(why);
  if (fd_ < 0) {
    if (totals_.files == 0 && !thread_.joinable()) {
      wrong_ = Error{"create the recording " + path_, why, ""};
      totals_.failed = true;
    } else {
      fail(why, "create");
    }
    return false;
  }
  struct stat file{};
  regular_ = ::fstat(fd_, &file) == 0 && S_ISREG(file.st_mode);
  has_name_ = regular_ && file.st_nlink != 0 && path_ != standard_output;
  appends_ = (::fcntl(fd_, F_GETFL) & O_APPEND) != 0;
  if (path_ != standard_output) files_.push_back(path_);
  ++totals_.files;
  return true;
}

// False: something could not be written; the whole blocks before it stand, the others were given up.
bool FileWriter::put(std::span<const std::byte> blocks, bool of_events) {
  (void)is_cut_off();
  const std::uint64_t from = next_byte_at();
  int error = 0;
  const std::size_t written = put_bytes(blocks, error);
  std::uint64_t count = 0;
  bool holds_events = false;
  const std::size_t whole = pcapng::for_each_block(blocks.first(written), [&](std::uint32_t type, auto block) {
    ++count;
    if (of_events && empty_ && !holds_events) holds_events = !is_needed(type, block);
  });
  totals_.blocks += count;
  file_blocks_ += count;
  totals_.bytes += whole;
  offset_ = from + whole;
  if (holds_events) {
    empty_ = false;
    remove_old();
  }
  if (written == blocks.size()) return true;
  partial_ = written - whole;
  if (!can_be_cut_off()) hopeless_ = true;
  fail(error, "write");
  (void)cut_off_partial_block();
  give_up(blocks.subspan(whole));
  return false;
}

std::size_t FileWriter::put_bytes(std::span<const std::byte> bytes, int& error) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    std::size_t chunk = bytes.size() - written;
    if (!regular_) {
      // So much fits into a pipe that is writable; more could block for ever.
      chunk = std::min<std::size_t>(chunk, PIPE_BUF);
      pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
      if (::poll(&ready, 1, poll_ms) == 0) {
        const std::scoped_lock lock(mutex_);
        if (!abandoned_) continue;
        error = ETIMEDOUT;
        return written;
      }
    }
    const ssize_t done = ::write(fd_, bytes.data() + written, chunk);
    if (done > 0) {
      written += static_cast<std::size_t>(done);
      if (regular_) continue;
      const std::scoped_lock lock(mutex_);
      ++progress_;
    } else if (done == 0 || (errno != EINTR && errno != EAGAIN)) {
      error = done == 0 ? ENOSPC : errno;
      return written;
    }
  }
  return written;
}

// Others can write to standard output, too: before us, after us, and meanwhile.
std::uint64_t FileWriter::next_byte_at() const {
  if (!regular_ || has_name_) return offset_;
  struct stat file{};
  if (appends_) return ::fstat(fd_, &file) == 0 ? static_cast<std::uint64_t>(file.st_size) : offset_;
  const off_t at = ::lseek(fd_, 0, SEEK_CUR);
  return at < 0 ? offset_ : static_cast<std::uint64_t>(at);
}

// What went into a pipe cannot be taken back; nor what has somebody else's bytes behind it, or between.
bool FileWriter::can_be_cut_off() const {
  if (partial_ == 0 || has_name_) return true;
  if (!regular_) return false;
  struct stat file{};
  const auto end = static_cast<off_t>(offset_ + partial_);
  return ::fstat(fd_, &file) == 0 && file.st_size == end && ::lseek(fd_, 0, SEEK_CUR) == end;
}

bool FileWriter::cut_off_partial_block() {
  if (partial_ == 0) return true;
  if (!can_be_cut_off()) {
    hopeless_ = true;
    return false;
  }
  if (::ftruncate(fd_, static_cast<off_t>(offset_)) != 0 || ::lseek(fd_, static_cast<off_t>(offset_), SEEK_SET) < 0) {
    fail(errno, "write");
    return false;
  }
  partial_ = 0;
  return true;
}

void FileWriter::give_up(std::span<const std::byte> blocks) {
  if (nobody_reads()) return;  // it has what it wants
  pcapng::for_each_block(blocks, [&](std::uint32_t type, std::span<const std::byte> block) {
    if (is_needed(type, block)) {
      carried_.insert(carried_.end(), block.begin(), block.end());
      return;
    }
    ++missing_;
    ++totals_.lost_blocks;
  });
}

std::string FileWriter::name_in_words() const { return path_ == standard_output ? "to standard output" : path_; }

void FileWriter::fail(int error, const char* what) {
  if (error == EPIPE || error == ETIMEDOUT) hopeless_ = true;
  if (error == EPIPE && path_ == standard_output) {
    nobody_reads_.store(true, std::memory_order_relaxed);
    return;
  }
  fail(std::string(std::strerror(error)), what);
}

void FileWriter::fail(const std::string& why, const char* what) {
  totals_.failed = true;
  down_ = true;
  retry_at_ = Clock::now() + settings_.retry_every;
  if (std::exchange(said_failed_, true)) return;
  notice_(fmt::format("cannot {} the recording {}: {}; tracing goes on, what is not written is counted{}", what,
                      name_in_words(), why, hopeless_ ? "" : ", and writing is tried again every second"));
}

void FileWriter::recovered() {
  if (!std::exchange(down_, false) || std::exchange(said_recovered_, true)) return;
  notice_(fmt::format("the recording {} is written again; {} blocks so far are missing in it", name_in_words(),
                      totals_.lost_blocks));
}

}  // namespace tcpwitness
