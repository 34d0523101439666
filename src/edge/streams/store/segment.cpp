// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/store/segment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/number.hpp"
#include "store/records/frame.hpp"

namespace andon::edge {
namespace {

constexpr std::string_view kExtension = ".segment";
constexpr std::size_t kNameDigits = 20;
constexpr std::uint64_t kChunk = 64U << 10U;
constexpr std::size_t kNumbers = 16;  // sequence number and time
// Of a record: the protocol's largest frame.
constexpr std::size_t kMostRecordBytes = (1U << 30U) + kNumbers;

void put(std::string& out, std::int64_t number) {
  char bytes[sizeof number];
  for (std::size_t i = 0; i < sizeof number; ++i) {
    bytes[i] = static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
  }
  out.append(bytes, sizeof bytes);
}

std::int64_t number_at(std::string_view bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = sizeof number; i > 0; --i) {
    number = (number << 8U) | static_cast<unsigned char>(bytes[at + i - 1]);
  }
  return static_cast<std::int64_t>(number);
}

StreamRecord record_of(std::string_view bytes) {
  return {number_at(bytes, 0), number_at(bytes, 8), bytes.substr(kNumbers)};
}

}  // namespace

static_assert(Segment::kRecordOverhead == store::kFrameHeaderBytes + kNumbers);

Segment::Segment(const fs::path& directory, std::int64_t first) : first_(first), next_(first) {
  if (directory.empty()) return;
  file_path_ = directory / fmt::format("{:0{}}{}", first, kNameDigits, kExtension);
}

std::int64_t Segment::first_of_name(const fs::path& file) {
  if (file.extension() != kExtension) return -1;
  const std::string stem = file.stem().string();
  if (stem.size() != kNameDigits) return -1;
  return base::parse_integer<std::int64_t>(stem).value_or(-1);
}

Segment Segment::closed(const fs::path& file, std::int64_t first, std::int64_t next) {
  Segment segment(file.parent_path(), first);
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    throw base::system_error("cannot look at " + file.string(), errno);
  }
  segment.next_ = next;
  segment.bytes_ = static_cast<std::uint64_t>(status.st_size);
  const auto overhead = static_cast<std::int64_t>(kRecordOverhead) * (next - first);
  segment.payload_bytes_ = std::max<std::int64_t>(0, status.st_size - overhead);
  // Its last record came no later than the file's last change.
  segment.oldest_ms_ = segment.newest_ms_ =
      static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1000 + status.st_mtim.tv_nsec / 1'000'000;
  return segment;
}

Segment Segment::last(const fs::path& file, std::int64_t first) {
  Segment segment(file.parent_path(), first);
  segment.scan();
  return segment;
}

void Segment::scan() {
  struct stat status {};
  if (::stat(file_path_.c_str(), &status) != 0) {
    throw base::system_error("cannot look at " + file_path_.string(), errno);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  bytes_ = size;
  std::uint64_t end = 0;
  std::int64_t count = 0;
  read(0, [&](const StreamRecord& record, std::uint64_t offset) {
    if (record.sequence < next_) return true;
    next_ = record.sequence + 1;
    if (count++ == 0) oldest_ms_ = record.ingest_ms;
    newest_ms_ = record.ingest_ms;
    payload_bytes_ += static_cast<std::int64_t>(record.payload.size());
    end = offset + kRecordOverhead + record.payload.size();
    return true;
  });
  bytes_ = end;
  if (end == size) return;
  was_cut_ = true;
  base::log_warning("the end of a stream's segment was cut off: it held no whole record",
                    {{"file", file_path_.string()}, {"bytes", size - end}});
  if (truncate(file_path_.c_str(), static_cast<off_t>(end)) != 0) {
    throw base::system_error("cannot cut " + file_path_.string(), errno);
  }
}

void Segment::open_file() {
  if (file_) return;
  const bool is_new = bytes_ == 0;
  file_ = base::open_file(file_path_, O_WRONLY | O_CREAT | (is_new ? O_TRUNC : 0), 0600);
}

void Segment::append(const StreamRecord& record) {
  // One frame around two numbers and the payload, without a copy of the payload in between.
  std::string body;
  body.reserve(kNumbers + record.payload.size());
  put(body, record.sequence);
  put(body, record.ingest_ms);
  body += record.payload;
  if (file_path_.empty()) {
    store::append_frame(memory_, body);
  } else {
    open_file();
    frame_.clear();
    store::append_frame(frame_, body);
    std::string_view rest = frame_;
    auto at = static_cast<off_t>(bytes_);
    while (!rest.empty()) {
      const ssize_t written = pwrite(file_.get(), rest.data(), rest.size(), at);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        const int error = written < 0 ? errno : ENOSPC;
        // What stays of it is no record, and the next one is written over it.
        [[maybe_unused]] const int cut = ftruncate(file_.get(), static_cast<off_t>(bytes_));
        throw base::system_error("cannot append to " + file_path_.string(), error);
      }
      rest.remove_prefix(static_cast<std::size_t>(written));
      at += written;
    }
    constexpr std::size_t kKeptBytes = 64U << 10U;
    if (frame_.capacity() > kKeptBytes) std::string().swap(frame_);
  }
  if (bytes_ == 0) oldest_ms_ = record.ingest_ms;
  newest_ms_ = record.ingest_ms;
  next_ = record.sequence + 1;
  bytes_ += kRecordOverhead + record.payload.size();
  payload_bytes_ += static_cast<std::int64_t>(record.payload.size());
}

void Segment::sync() {
  if (!file_ || file_path_.empty()) return;
  if (fdatasync(file_.get()) != 0) {
    throw base::system_error("cannot sync " + file_path_.string(), errno);
  }
}

void Segment::remove() {
  file_.reset();
  if (file_path_.empty()) return;
  std::error_code ignored;
  fs::remove(file_path_, ignored);
}

std::string Segment::load(int fd, std::uint64_t offset, std::uint64_t size) const {
  std::string bytes(std::min(size, bytes_ - std::min(offset, bytes_)), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t count =
        pread(fd, bytes.data() + got, bytes.size() - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw base::system_error("cannot read " + file_path_.string(), errno);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  bytes.resize(got);
  return bytes;
}

void Segment::read(std::uint64_t offset, const Visit& visit) const {
  const bool is_file = !file_path_.empty();
  base::UniqueFd file;
  if (is_file && bytes_ > offset) file = base::open_file(file_path_, O_RDONLY);
  std::string buffer;
  while (offset < bytes_) {
    std::string_view chunk = memory_;
    if (is_file) {
      buffer = load(file.get(), offset, kChunk);
      chunk = buffer;
    } else {
      chunk.remove_prefix(offset);
    }
    bool is_chunk_done = false;
    std::size_t at = 0;
    while (at < chunk.size() && !is_chunk_done) {
      const store::Frame frame = store::read_frame(chunk.substr(at), kMostRecordBytes);
      switch (frame.state) {
        case store::Frame::State::whole:
          if (frame.record.size() >= kNumbers) {
            if (!visit(record_of(frame.record), offset + at)) return;
          }
          at += frame.bytes_expected;
          break;
        case store::Frame::State::damaged:
          ++at;
          break;
        case store::Frame::State::cut:
          if (is_file && at == 0 && chunk.size() < frame.bytes_expected &&
              offset + chunk.size() < bytes_) {
            buffer = load(file.get(), offset, frame.bytes_expected);
            chunk = buffer;
            // A header that tells of more than there is was not written so: look behind it.
            if (chunk.size() < frame.bytes_expected) ++at;
          } else if (offset + chunk.size() >= bytes_) {
            ++at;
          } else {
            is_chunk_done = true;
          }
          break;
      }
    }
    if (at == 0) return;  // the file is shorter than it was
    offset += at;
  }
}

}  // namespace andon::edge
