// SPDX-License-Identifier: Apache-2.0
#include "edge/process/component_log.hpp"

#include <utility>

namespace andon::edge {
namespace {

constexpr std::size_t kTailBytes = 1000;

}  // namespace

ComponentLog::ComponentLog(base::fs::path path, LogRotation rotation)
    : path_(std::move(path)),
      rotation_(rotation),
      file_(path_.c_str(), rotation.max_bytes, rotation.files_kept, rotation.bytes_per_second) {}

void ComponentLog::write(std::string_view bytes) {
  tail_.append(bytes);
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  file_.write(bytes.data(), bytes.size());
}

}  // namespace andon::edge
