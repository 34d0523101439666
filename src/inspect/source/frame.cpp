// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/frame.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "vision/image/decode.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

constexpr std::int64_t kMaxFileBytes = 256 << 20;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

PictureId identity(const fs::path& path, const struct stat& status) {
  return {.path = path.string(),
          .bytes = status.st_size,
          .modified_ns = nanoseconds(status.st_mtim),
          .status = status_of(nanoseconds(status.st_ctim), status.st_ino)};
}

}  // namespace

bool is_raw_name(std::string_view name) {
  return !name.starts_with('.') && (name.ends_with(".raw") || name.ends_with(".RAW"));
}

bool is_picture_name(std::string_view name) {
  return vision::is_image_name(name) || is_raw_name(name);
}

bool Frame::is_recent(base::Timestamp now) const {
  if (!id || !file) return false;
  const base::Timestamp modified = base::from_epoch_millis(id->modified_ns / 1'000'000);
  return modified <= now && now - modified < kSettleTime;
}

std::optional<Frame> open_picture(const fs::path& path, Frame&& spare) {
  Frame frame = std::move(spare);
  frame.problem.reset();
  frame.bytes.clear();
  frame.image.rgb.clear();
  frame.image.size = {};
  frame.name = path.filename().string();
  frame.file = base::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const int open_error = errno;
  struct stat status {};
  const int result = frame.file ? fstat(frame.file.get(), &status) : stat(path.c_str(), &status);
  if (result != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  frame.id = identity(path, status);
  if (!frame.file) {
    frame.problem = base::system_error(fmt::format("cannot open {}", frame.name), open_error);
  } else if (status.st_size > kMaxFileBytes) {
    frame.problem =
        Error(ErrorCode::invalid_argument, fmt::format("{} has {} bytes; at most {} are accepted",
                                                       frame.name, status.st_size, kMaxFileBytes));
  }
  return frame;
}

std::optional<FoundPicture> identify_picture(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FoundPicture{identity(path, status), nanoseconds(status.st_ctim)};
}

void read_picture(Frame& frame) {
  if (frame.problem || !frame.file || !frame.id) return;
  frame.bytes.resize(static_cast<std::size_t>(frame.id->bytes));
  std::size_t at = 0;
  while (at < frame.bytes.size()) {
    const ssize_t count = pread(frame.file.get(), frame.bytes.data() + at, frame.bytes.size() - at,
                                static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      frame.problem = base::system_error(fmt::format("cannot read {}", frame.name), errno);
      return;
    }
    if (count == 0) break;
    at += static_cast<std::size_t>(count);
  }
  frame.bytes.resize(at);
}

}  // namespace andon::inspect
