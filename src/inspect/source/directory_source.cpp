// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/directory_source.hpp"

#include <algorithm>

namespace andon::inspect {
std::optional<Frame> DirectorySource::take(base::Timestamp now, Frame&& spare) {
  const auto scan =
      queue_.is_empty() ? DirectoryWatcher::Scan::allowed : DirectoryWatcher::Scan::not_now;
  for (base::fs::path& path : tree_ ? tree_->take(now, scan) : watcher_->take(now, scan)) {
    queue_.add(std::move(path));
  }
  auto frame = queue_.open_next(now, std::move(spare));
  if (!frame) return frame;
  ++counts_.given;
  if (tree_ && frame->id) {
    frame->name = base::fs::path(frame->id->path).lexically_relative(top_).string();
  }
  return frame;
}

void DirectorySource::give_again(const Frame& frame, base::Timestamp when) {
  if (frame.id) queue_.add(frame.id->path, when);
}

std::optional<base::Timestamp> DirectorySource::look_again_at(base::Timestamp now) const {
  const base::Timestamp at = tree_ ? tree_->look_again_at(now) : watcher_->look_again_at(now);
  return std::min(at, queue_.next_due().value_or(at));
}

}  // namespace andon::inspect
