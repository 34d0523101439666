// SPDX-License-Identifier: Apache-2.0
// The pictures on which two models differ most, with what each of them found. Refers to what was
// measured; reads the pictures.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/json/fwd.hpp"
#include "base/os/file.hpp"
#include "evaluate/score/agreement.hpp"

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
// "88 were found by both, 4 by one while the other's score of it is below, 2 by one alone": they
// add up to what the two found.
[[nodiscard]] std::string counts_in_words(const evaluate::Agreement& agreement);
// How alike the two are, in words.
[[nodiscard]] std::string summary(const Differences& differences);

}  // namespace andon::report
