// SPDX-License-Identifier: Apache-2.0
// Pictures that are named one by one, in the order of the list. A file that is not there gets its
// result too: one that says so.
#pragma once

#include <vector>

#include "inspect/source/path_queue.hpp"
#include "inspect/source/source.hpp"

namespace andon::inspect {

class ListSource final : public Source {
 public:
  explicit ListSource(const std::vector<base::fs::path>& files);

  [[nodiscard]] SourceKind kind() const override { return SourceKind::files; }
  [[nodiscard]] std::optional<Frame> take(base::Timestamp now, Frame&& spare) override;
  void give_again(const Frame& frame, base::Timestamp when) override;
  [[nodiscard]] int fd() const override { return -1; }
  [[nodiscard]] std::optional<base::Timestamp> look_again_at(base::Timestamp now) const override;
  [[nodiscard]] bool is_drained() const override { return is_finished(); }
  [[nodiscard]] bool is_finished() const override { return files_.empty() && again_.is_empty(); }
  [[nodiscard]] Counts counts() const override { return counts_; }

 private:
  std::deque<base::fs::path> files_;
  PathQueue again_;
  Counts counts_;
};

// A text file with a path a line; empty lines and those that start with '#' are left out, paths are
// relative to the file's own directory. Throws invalid_argument where it names nothing or is not
// text.
[[nodiscard]] std::vector<base::fs::path> read_list(const base::fs::path& file);
// The same for its content.
[[nodiscard]] std::vector<base::fs::path> parse_list(std::string_view content,
                                                     const base::fs::path& file);

}  // namespace andon::inspect
