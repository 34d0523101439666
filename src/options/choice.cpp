// SPDX-License-Identifier: Apache-2.0
#include "options/choice.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/escape.hpp"
#include "base/text/split.hpp"
#include "options/nearest.hpp"

namespace andon::options {
namespace {

std::string refusal(const std::string& typed, const std::vector<std::string>& words) {
  const auto meant = nearest(typed, words);
  return fmt::format("'{}' is none of {}{}", base::escape_controls(typed),
                     base::join(std::span<const std::string>(words), ", "),
                     meant ? "; did you mean '" + *meant + "'?" : "");
}

}  // namespace

CLI::Validator one_of(const std::vector<std::string>& words) {
  return {[words](std::string& typed) {
            return std::ranges::find(words, typed) == words.end() ? refusal(typed, words)
                                                                  : std::string();
          },
          base::join(std::span<const std::string>(words), "|")};
}

CLI::Validator number_of(const std::vector<std::string>& words,
                         const std::vector<std::string>& numbers) {
  return {[words, numbers](std::string& typed) {
            const auto found = std::ranges::find(words, typed);
            if (found == words.end()) return refusal(typed, words);
            typed = numbers.at(static_cast<std::size_t>(found - words.begin()));
            return std::string();
          },
          base::join(std::span<const std::string>(words), "|")};
}

}  // namespace andon::options
