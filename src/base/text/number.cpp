// SPDX-License-Identifier: Apache-2.0
#include "base/text/number.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace andon::base {
namespace {

template <typename Number, typename... How>
std::optional<Number> parse_whole(std::string_view text, How... how) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, how...);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::int64_t> parse_int64(std::string_view text, int radix) {
  return parse_whole<std::int64_t>(text, radix);
}

std::optional<std::uint64_t> parse_uint64(std::string_view text, int radix) {
  return parse_whole<std::uint64_t>(text, radix);
}

std::optional<double> parse_number(std::string_view text) {
  const auto number = parse_whole<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::string number_text(double number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), end};
}

}  // namespace andon::base
