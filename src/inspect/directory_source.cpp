// SPDX-License-Identifier: Apache-2.0
#include "inspect/directory_source.hpp"

namespace andon::inspect {
namespace {

constexpr std::chrono::milliseconds kMissingDirectoryPause{1'000};

}  // namespace

std::optional<Frame> DirectorySource::take(base::Timestamp now, Frame&& spare) {
  for (base::fs::path& path : watcher_.take()) queue_.add(std::move(path));
  auto frame = queue_.open_next(now, std::move(spare));
  if (frame) ++counts_.given;
  return frame;
}

void DirectorySource::give_again(const Frame& frame, base::Timestamp when) {
  if (frame.id) queue_.add(frame.id->path, when);
}

std::optional<base::Timestamp> DirectorySource::look_again_at(base::Timestamp now) const {
  if (watcher_.fd() < 0) return now + kMissingDirectoryPause;
  return queue_.next_due();
}

}  // namespace andon::inspect
