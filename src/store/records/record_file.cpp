// SPDX-License-Identifier: Apache-2.0
#include "store/records/record_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "store/records/frame.hpp"

namespace andon::store {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

constexpr std::string_view kMagic = "andon-records 1\n";
constexpr std::size_t kBlockBytes = 64U << 10U;

// A window on the file that moves forward and holds as much as is asked for.
class Window {
 public:
  Window(int fd, const fs::path& path, std::uint64_t start, std::uint64_t end)
      : fd_(fd), path_(path), read_to_(start), end_(end) {}

  [[nodiscard]] std::string_view bytes() const { return std::string_view(buffer_).substr(at_); }
  [[nodiscard]] bool is_at_end() const { return at_ == buffer_.size() && read_to_ >= end_; }

  void skip(std::size_t count) { at_ += count; }
  // Until it holds `count` bytes, or what is left of the file.
  void hold(std::size_t count) {
    if (bytes().size() >= count) return;
    buffer_.erase(0, at_);
    at_ = 0;
    const std::size_t held = buffer_.size();
    const std::uint64_t more =
        std::min<std::uint64_t>(std::max(count - held, kBlockBytes), end_ - read_to_);
    buffer_.resize(held + static_cast<std::size_t>(more));
    std::size_t filled = held;
    while (filled < buffer_.size()) {
      const ssize_t got = pread(fd_, buffer_.data() + filled, buffer_.size() - filled,
                                static_cast<off_t>(read_to_));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw base::system_error(fmt::format("cannot read {}", path_.string()), errno);
      if (got == 0) {
        end_ = read_to_;
        break;
      }
      filled += static_cast<std::size_t>(got);
      read_to_ += static_cast<std::uint64_t>(got);
    }
    buffer_.resize(filled);
  }

 private:
  int fd_;
  const fs::path& path_;
  std::uint64_t read_to_;
  std::uint64_t end_;
  std::string buffer_;
  std::size_t at_ = 0;
};

// The first bytes of the file, at most as many as the magic has.
std::string beginning_of(int fd, const fs::path& path) {
  Window window(fd, path, 0, kMagic.size());
  window.hold(kMagic.size());
  return std::string(window.bytes());
}

void write_at(int fd, std::string_view bytes, std::uint64_t at, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw base::system_error(fmt::format("cannot write {}", path.string()), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
}

void check_record_size(std::size_t bytes, std::size_t most, const fs::path& path) {
  if (bytes <= most) return;
  throw Error(ErrorCode::resource_exhausted,
              fmt::format("a record of {} bytes is too large for {}: at most {} are taken", bytes,
                          path.string(), most));
}

}  // namespace

bool RecordFile::is_record_file(const fs::path& path) {
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return fd && beginning_of(fd.get(), path) == kMagic;
}

RecordFile::RecordFile(fs::path path, Limits limits, const Visit& visit)
    : path_(std::move(path)), limits_(limits) {
  std::error_code error;
  if (!fs::exists(path_, error)) write(path_, limits_, [](Writer&) {});
  file_ = base::open_file(path_, O_RDWR);
  const std::string beginning = beginning_of(file_.get(), path_);
  if (beginning != kMagic) {
    if (!kMagic.starts_with(beginning)) {
      throw Error(
          ErrorCode::data_corrupted,
          fmt::format("{} is not a file of records; move it away to start anew", path_.string()));
    }
    write(path_, limits_, [](Writer&) {});  // cut before its first record
    file_ = base::open_file(path_, O_RDWR);
  }
  struct stat status {};
  if (fstat(file_.get(), &status) != 0) {
    throw base::system_error(fmt::format("cannot read {}", path_.string()), errno);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const Scan found = scan(visit, size);
  if (found.damaged > 0) {
    base::log_error("records of a file are damaged and were left out",
                    {{"file", path_.string()}, {"places", found.damaged}});
  }
  bytes_ = found.end;
  bytes_at_first_ = found.end;
  if (found.end < size) {
    base::log_info("the end of a file of records, which a crash had torn, was cut off",
                   {{"file", path_.string()}, {"bytes", size - found.end}});
    take_back(found.end);
  }
}

RecordFile::Scan RecordFile::scan(const Visit& visit, std::uint64_t size) const {
  Window window(file_.get(), path_, kMagic.size(), size);
  Scan found{.end = kMagic.size(), .damaged = 0};
  std::uint64_t at = kMagic.size();
  bool is_in_damage = false;
  while (true) {
    window.hold(kFrameHeaderBytes);
    if (window.is_at_end()) return found;
    Frame frame = read_frame(window.bytes(), limits_.record_bytes);
    if (frame.state == Frame::State::cut && at + frame.bytes_expected <= size) {
      window.hold(frame.bytes_expected);
      frame = read_frame(window.bytes(), limits_.record_bytes);
    }
    if (frame.state != Frame::State::whole) {
      is_in_damage = true;
      window.skip(1);
      ++at;
      continue;
    }
    if (is_in_damage) ++found.damaged;
    is_in_damage = false;
    visit(frame.record);
    window.skip(frame.bytes_expected);
    at += frame.bytes_expected;
    found.end = at;
  }
}

void RecordFile::read(const Visit& visit) const {
  scan(visit, bytes_);
}

void RecordFile::append(std::string_view record) {
  check_record_size(record.size(), limits_.record_bytes, path_);
  if (bytes_ + kFrameHeaderBytes + record.size() > limits_.file_bytes) {
    throw Error(ErrorCode::resource_exhausted, fmt::format("{} has reached its limit of {} bytes",
                                                           path_.string(), limits_.file_bytes));
  }
  buffer_.clear();
  append_frame(buffer_, record);
  try {
    write_at(file_.get(), buffer_, bytes_, path_);
  } catch (const Error&) {
    take_back(bytes_);
    throw;
  }
  bytes_ += buffer_.size();
  if (buffer_.capacity() > kBlockBytes) buffer_.shrink_to_fit();
}

void RecordFile::sync() {
  if (fdatasync(file_.get()) != 0) {
    throw base::system_error(fmt::format("cannot write {} to the disk", path_.string()), errno);
  }
}

void RecordFile::append_synced(std::string_view record) {
  const std::uint64_t before = bytes_;
  append(record);
  try {
    sync();
  } catch (const Error&) {
    bytes_ = before;
    take_back(before);
    throw;
  }
}

// The next record is written over what could not be cut off; a reader passes over what is left.
void RecordFile::take_back(std::uint64_t bytes) {
  if (ftruncate(file_.get(), static_cast<off_t>(bytes)) == 0) return;
  base::log_error("cannot cut off half a record", {{"file", path_.string()}, {"errno", errno}});
}

RecordFile::Writer::Writer(int fd, const fs::path& path, std::size_t most_record_bytes)
    : fd_(fd), path_(path), most_record_bytes_(most_record_bytes), buffer_(kMagic) {}

void RecordFile::Writer::add(std::string_view record) {
  check_record_size(record.size(), most_record_bytes_, path_);
  append_frame(buffer_, record);
  if (buffer_.size() >= kBlockBytes) flush();
}

void RecordFile::Writer::flush() {
  base::write_all(fd_, buffer_, path_);
  buffer_.clear();
}

void RecordFile::write(const fs::path& path, const Limits& limits, const Fill& fill) {
  fs::path temporary = path;
  temporary += ".new";
  try {
    const base::UniqueFd fd = base::open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    Writer writer(fd.get(), temporary, limits.record_bytes);
    fill(writer);
    writer.flush();
    if (fsync(fd.get()) != 0) {
      throw base::system_error(fmt::format("cannot write {} to the disk", temporary.string()),
                               errno);
    }
    if (rename(temporary.c_str(), path.c_str()) != 0) {
      throw base::system_error(
          fmt::format("cannot rename {} to {}", temporary.string(), path.string()), errno);
    }
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  base::sync_directory(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

void RecordFile::rewrite(const Fill& fill) {
  write(path_, limits_, fill);
  file_ = base::open_file(path_, O_RDWR);
  struct stat status {};
  if (fstat(file_.get(), &status) != 0) {
    throw base::system_error(fmt::format("cannot read {}", path_.string()), errno);
  }
  bytes_ = static_cast<std::uint64_t>(status.st_size);
  bytes_at_first_ = bytes_;
}

}  // namespace andon::store
