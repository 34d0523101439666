// SPDX-License-Identifier: Apache-2.0
// What is wrong with labels, and what is odd about them: all of it is counted, the first is told.
// Internal to evaluate.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace andon::evaluate {

// All that is wrong with a document, of which the first few are told.
class LabelProblems {
 public:
  void add(std::string problem);
  // Throws invalid_argument naming the document.
  void throw_if_any(std::string_view name) const;

 private:
  std::vector<std::string> shown_;
  std::size_t count_ = 0;
};

// Counts what is odd, and remembers where it was first.
class Oddity {
 public:
  void note(std::string place) {
    if (count_++ == 0) first_ = std::move(place);
  }
  void tell(std::vector<std::string>& warnings, std::string_view what) const;

 private:
  std::size_t count_ = 0;
  std::string first_;
};

inline constexpr std::string_view kWithoutArea = "boxes have no area and can never be found";
inline constexpr std::string_view kOverBorder = "boxes reach over the border of their picture";

}  // namespace andon::evaluate
