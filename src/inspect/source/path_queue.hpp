// SPDX-License-Identifier: Apache-2.0
// Files that are to be looked at, in order, some of them not before a certain time. Belongs to one
// thread.
#pragma once

#include <deque>
#include <optional>

#include "base/time/time.hpp"
#include "inspect/source/frame.hpp"

namespace andon::inspect {

class PathQueue {
 public:
  void add(base::fs::path path, base::Timestamp not_before = {});

  // Opens the next one that is due; those that are gone are left out.
  [[nodiscard]] std::optional<Frame> open_next(base::Timestamp now, Frame&& spare);
  [[nodiscard]] bool is_empty() const { return waiting_.empty(); }
  // When the first of them is due.
  [[nodiscard]] std::optional<base::Timestamp> next_due() const;

 private:
  struct Waiting {
    base::fs::path path;
    base::Timestamp not_before;
  };
  std::deque<Waiting> waiting_;
};

}  // namespace andon::inspect
