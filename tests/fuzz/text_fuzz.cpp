// SPDX-License-Identifier: Apache-2.0
// base/text on any bytes, held to what it promises.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text/ascii.hpp"
#include "base/text/escape.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::base;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  const bool is_valid = is_utf8(text);
  require(is_utf8(to_valid_utf8(text)));
  require((to_valid_utf8(text) == text) == is_valid);
  require(count_code_points(text) == to_code_points(text).size());
  if (is_valid) require(to_utf8(to_code_points(text)) == text);
  for (const std::size_t limit : {std::size_t{0}, std::size_t{3}, size / 2, size}) {
    require(utf8_prefix(text, limit).size() <= limit && utf8_suffix(text, limit).size() <= limit);
    if (!is_valid) continue;
    require(is_utf8(utf8_prefix(text, limit)) && is_utf8(utf8_suffix(text, limit)));
  }

  require(join(split(text, '/'), "/") == text);
  for (const std::string_view word : split_words(text))
    require(!word.empty() && trim(word) == word);
  require(equal_ignoring_case(to_lower(text), text));

  require(escape_markup(text).find_first_of("<>\"'") == std::string::npos);
  for (const char c : escape_controls(text)) require(!is_control(c) || c == '\n' || c == '\t');

  if (const auto number = parse_number(text)) require(parse_number(number_text(*number)) == number);
  if (const auto number = parse_int64(text))
    require(parse_int64(std::to_string(*number)) == number);
  return 0;
}
