// SPDX-License-Identifier: Apache-2.0
#include "edge/component_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>

#include "base/error.hpp"

namespace andon::edge {
namespace {

namespace fs = base::fs;

constexpr std::size_t kTailBytes = 400;

fs::path numbered(const fs::path& path, int number) {
  return path.string() + '.' + std::to_string(number);
}

}  // namespace

ComponentLog::ComponentLog(fs::path path, LogRotation rotation)
    : path_(std::move(path)), rotation_(rotation) {}

void ComponentLog::write(std::string_view bytes) {
  tail_.append(bytes);
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  try {
    if (!file_) open();
    if (size_ > 0 && size_ + bytes.size() > rotation_.max_bytes) rotate();
    base::write_all(file_.get(), bytes, path_);
    size_ += bytes.size();
  } catch (const base::Error&) {
    file_.reset();
  }
}

void ComponentLog::open() {
  file_ = base::open_file(path_, O_WRONLY | O_CREAT | O_APPEND, 0640);
  std::error_code unknown;
  size_ = fs::file_size(path_, unknown);
  if (unknown) size_ = 0;
}

void ComponentLog::rotate() {
  file_.reset();
  std::error_code missing;
  for (int number = rotation_.files_kept; number >= 1; --number) {
    const fs::path from = number == 1 ? path_ : numbered(path_, number - 1);
    fs::rename(from, numbered(path_, number), missing);
  }
  open();
}

}  // namespace andon::edge
