// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/path_queue.hpp"

#include <algorithm>

namespace andon::inspect {

void PathQueue::add(base::fs::path path, base::Timestamp not_before) {
  waiting_.push_back({std::move(path), not_before});
}

std::optional<Frame> PathQueue::open_next(base::Timestamp now, Frame&& spare) {
  while (true) {
    const auto due = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Waiting& it) { return it.not_before <= now; });
    if (due == waiting_.end()) return std::nullopt;
    const base::fs::path path = std::move(due->path);
    waiting_.erase(due);
    // A picture that cannot be opened has not taken the spare's memory, or has left it empty.
    // NOLINTNEXTLINE(bugprone-use-after-move)
    if (auto frame = open_picture(path, std::move(spare))) return frame;
  }
}

std::optional<base::Timestamp> PathQueue::next_due() const {
  if (waiting_.empty()) return std::nullopt;
  return std::ranges::min(waiting_, {}, &Waiting::not_before).not_before;
}

}  // namespace andon::inspect
