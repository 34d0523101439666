// SPDX-License-Identifier: Apache-2.0
// A table for a terminal: columns as wide as their widest cell, control characters of what came
// from outside written out. Values; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}

  // As many cells as there are headings; an empty one is shown as "-".
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }
  // A line each, the last with its newline, none with blanks at its end.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "12 s ago", "5 min ago", "3 h ago", "4 d ago"; "now" for what is not yet a second ago, and for
// the future.
[[nodiscard]] std::string ago(base::Timestamp then, base::Timestamp now);

// A member that is a text, made safe for a terminal; "" where it is absent.
[[nodiscard]] std::string text_of(const base::json::value& object, std::string_view key);
[[nodiscard]] std::string text_of(const base::json::object& object, std::string_view key);
// The same as it is, to be sent or parsed, not to be shown.
[[nodiscard]] std::string plain_text_of(const base::json::object& object, std::string_view key);
// A member that is a time as AWS's JSON has it, in seconds, told as ago(); "" where it is absent.
[[nodiscard]] std::string ago_of(const base::json::value& object, std::string_view key,
                                 base::Timestamp now);

}  // namespace andon::cli
