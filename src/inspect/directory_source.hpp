// SPDX-License-Identifier: Apache-2.0
// The pictures of a directory: those that are there, and new ones as they come. A directory that
// is missing is waited for.
#pragma once

#include "inspect/directory_watcher.hpp"
#include "inspect/path_queue.hpp"
#include "inspect/source.hpp"

namespace andon::inspect {

class DirectorySource final : public Source {
 public:
  explicit DirectorySource(base::fs::path directory) : watcher_(std::move(directory)) {}

  [[nodiscard]] SourceKind kind() const override { return SourceKind::files; }
  [[nodiscard]] std::optional<Frame> take(base::Timestamp now, Frame&& spare) override;
  void give_again(const Frame& frame, base::Timestamp when) override;
  [[nodiscard]] int fd() const override { return watcher_.fd(); }
  [[nodiscard]] std::optional<base::Timestamp> look_again_at(base::Timestamp now) const override;
  [[nodiscard]] bool is_drained() const override { return queue_.is_empty(); }
  [[nodiscard]] bool is_finished() const override { return false; }
  [[nodiscard]] Counts counts() const override { return counts_; }

 private:
  DirectoryWatcher watcher_;
  PathQueue queue_;
  Counts counts_;
};

}  // namespace andon::inspect
