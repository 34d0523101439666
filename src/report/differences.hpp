// SPDX-License-Identifier: Apache-2.0
// The pictures on which two models differ most, with what each of them found. Refers to what was
// measured; reads the pictures.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/json.hpp"
#include "evaluate/agreement.hpp"

namespace andon::report {

struct Differences {
  std::array<std::string, 2> names{"A", "B"};  // short: they stand at each box
  std::span<const std::string> labels;         // by class id, for both
  std::span<const base::fs::path> files;
  std::array<std::span<const evaluate::DetectionsOfImage>, 2> detections;  // one a picture
  const evaluate::Agreement& agreement;
};

inline constexpr std::size_t kDifferencesShown = 12;

[[nodiscard]] std::string to_html(const Differences& differences);
// File names with how alike the findings are.
[[nodiscard]] base::json::array to_json(const Differences& differences);
// How alike the two are, in words.
[[nodiscard]] std::string summary(const Differences& differences);

}  // namespace andon::report
