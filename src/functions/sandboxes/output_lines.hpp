// SPDX-License-Identifier: Apache-2.0
// What a sandbox writes, cut into lines for its log, and the end of it that a caller may ask for.
// One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace andon::functions {

class OutputLines {
 public:
  using Write = std::function<void(std::string line)>;
  explicit OutputLines(Write write) : write_(std::move(write)) {}

  void add(std::string_view bytes);
  // A line that is not the function's own: what it began before is ended.
  void add_line(const std::string& line);
  void end_line();

  // The tail of what came since begin_tail().
  void begin_tail() { tail_.clear(); }
  [[nodiscard]] std::string tail() const;

 private:
  void give(std::string line);

  Write write_;
  std::string rest_;
  std::string tail_;
};

}  // namespace andon::functions
