// SPDX-License-Identifier: Apache-2.0
// Regular expressions in the syntax of JavaScript, over UTF-8, that cannot be made to hang: each
// pair of place in the pattern and place in the text is tried once, so time is at most pattern
// times text; patterns with back references or look-around run under a budget of steps.
// Compiled once, immutable, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::query {

class Regex {
 public:
  struct Options {
    bool ignore_case = false;
    bool multi_line = false;
    bool dot_all = false;
  };
  struct Group {
    bool matched = false;
    std::size_t begin = 0;  // bytes
    std::size_t end = 0;
  };
  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::vector<Group> groups;  // without the whole match
  };

  // Of several searches together: each search of a text may be short in itself and long in all.
  struct Work {
    std::size_t steps = 0;  // so far
    std::size_t most = SIZE_MAX;
  };

  // Throws base::Error(invalid_argument) for a malformed or too large pattern.
  Regex(std::string_view pattern, Options options);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // The first match that begins at byte `from` or later. Throws base::Error(resource_exhausted)
  // where the budget is spent, its own or that of `work`, to which its steps are added.
  [[nodiscard]] std::optional<Match> search(std::string_view text, std::size_t from = 0) const;
  [[nodiscard]] std::optional<Match> search(std::string_view text, std::size_t from,
                                            Work& work) const;
  [[nodiscard]] bool matches_all(std::string_view text) const;
  [[nodiscard]] std::size_t group_count() const;

 private:
  struct Program;
  std::unique_ptr<const Program> program_;
};

}  // namespace andon::query
