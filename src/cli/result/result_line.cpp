// SPDX-License-Identifier: Apache-2.0
#include "cli/result/result_line.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/escape.hpp"

namespace andon::cli {

std::string one_line(std::string_view text) {
  std::string made = base::escape_controls(text);
  // Which leaves what a longer text may have.
  std::ranges::replace_if(made, base::is_control, ' ');
  return made;
}

std::string result_line(const base::json::object& result) {
  const base::JsonReader reader(result, "result");
  const auto text = [&reader](std::string_view key) {
    return one_line(reader.optional_string(key).value_or(""));
  };
  std::string found = text("class");
  if (const auto score = reader.optional_number("score")) {
    found += fmt::format(" {:.4f}", *score);
  } else if (reader.has("problem")) {
    found = "(no result: " + text("problem") + ")";
  } else if (reader.has("error")) {
    found = "(" + text("error") + ")";
  } else {
    found = "-";
  }
  std::string line = fmt::format("{:>8}  {}  {}  {}  {}", text("resultId"), text("timestamp"),
                                 text("thing"), text("image"), found);
  if (reader.has("verdict")) line += "  " + text("verdict");
  if (const auto* given = reader.optional_object("review")) {
    const base::JsonReader review(*given, "review");
    line += "  " + one_line(review.optional_string("kind").value_or(""));
    const std::string as = one_line(review.optional_string("class").value_or(""));
    if (!as.empty()) line += " as " + as;
  }
  return line;
}

}  // namespace andon::cli
