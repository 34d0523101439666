// SPDX-License-Identifier: Apache-2.0
#include "inspect/frame.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "vision/decode.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace fs = base::fs;

namespace {

constexpr std::int64_t kMaxFileBytes = 256 << 20;

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
  frame.id = PictureId{path.string(), status.st_size,
                       std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
                       std::nullopt};
  if (!frame.file) {
    frame.problem = base::system_error(fmt::format("cannot open {}", frame.name), open_error);
  } else if (status.st_size > kMaxFileBytes) {
    frame.problem =
        Error(ErrorCode::invalid_argument, fmt::format("{} has {} bytes; at most {} are accepted",
                                                       frame.name, status.st_size, kMaxFileBytes));
  }
  return frame;
}

void read_picture(Frame& frame) {
  if (frame.problem || !frame.file || !frame.id) return;
  frame.bytes.resize(static_cast<std::size_t>(frame.id->bytes));
  std::size_t at = 0;
  while (at < frame.bytes.size()) {
    const ssize_t count = read(frame.file.get(), frame.bytes.data() + at, frame.bytes.size() - at);
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
