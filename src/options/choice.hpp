// SPDX-License-Identifier: Apache-2.0
// Options that are one of some words: for CLI11's check() and transform(). --help shows the words,
// and what is none of them is refused with what was meant.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

namespace andon::options {

// For option->check() of a text.
[[nodiscard]] CLI::Validator one_of(const std::vector<std::string>& words);

// For option->transform(): the word of number i becomes i as text.
[[nodiscard]] CLI::Validator number_of(const std::vector<std::string>& words,
                                       const std::vector<std::string>& numbers);

// For option->transform() of an enum.
template <typename Enum>
[[nodiscard]] CLI::Validator choice(const std::vector<std::pair<std::string, Enum>>& choices) {
  std::vector<std::string> words;
  std::vector<std::string> numbers;
  for (const auto& [word, value] : choices) {
    words.push_back(word);
    numbers.push_back(std::to_string(static_cast<std::underlying_type_t<Enum>>(value)));
  }
  return number_of(words, numbers);
}

}  // namespace andon::options
