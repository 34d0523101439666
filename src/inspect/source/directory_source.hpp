// SPDX-License-Identifier: Apache-2.0
// The pictures of a directory, or of a directory and all below it: those that are there, and new
// ones as they come. A directory that is missing is waited for, one that is replaced is followed.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "inspect/source/directory_tree.hpp"
#include "inspect/source/directory_watcher.hpp"
#include "inspect/source/path_queue.hpp"
#include "inspect/source/source.hpp"

namespace andon::inspect {

class DirectorySource final : public Source {
 public:
  // Of the directory itself.
  explicit DirectorySource(base::fs::path directory, DirectoryWatcher::Knows knows = {})
      : watcher_(std::make_unique<DirectoryWatcher>(std::move(directory), std::move(knows))) {}
  // Of all below it, too, but for `left_out`; pictures are named by their paths from it.
  DirectorySource(base::fs::path directory, DirectoryWatcher::Knows knows,
                  std::vector<base::fs::path> left_out)
      : top_(directory),
        tree_(std::make_unique<DirectoryTree>(std::move(directory), std::move(knows),
                                              std::move(left_out))) {}

  [[nodiscard]] SourceKind kind() const override { return SourceKind::files; }
  [[nodiscard]] std::optional<Frame> take(base::Timestamp now, Frame&& spare) override;
  void give_again(const Frame& frame, base::Timestamp when) override;
  [[nodiscard]] int fd() const override { return tree_ ? tree_->fd() : watcher_->fd(); }
  [[nodiscard]] std::optional<base::Timestamp> look_again_at(base::Timestamp now) const override;
  [[nodiscard]] bool is_drained() const override { return queue_.is_empty(); }
  [[nodiscard]] bool is_finished() const override { return false; }
  [[nodiscard]] Counts counts() const override { return counts_; }

 private:
  base::fs::path top_;
  std::unique_ptr<DirectoryWatcher> watcher_;  // or
  std::unique_ptr<DirectoryTree> tree_;
  PathQueue queue_;
  Counts counts_;
};

}  // namespace andon::inspect
