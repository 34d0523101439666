// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "query/document/utf8.hpp"
#include "query/jsonata/functions/functions.hpp"

namespace andon::query::jsonata {
namespace {

// The characters that mean something in a picture (XPath and XQuery Functions 3.1, 4.7.2).
struct Symbols {
  char32_t decimal = '.';
  char32_t grouping = ',';
  char32_t exponent = 'e';
  char32_t percent = '%';
  char32_t per_mille = 0x2030;
  char32_t zero = '0';
  char32_t digit = '#';
  char32_t separator = ';';
  std::string minus = "-";
  std::string infinity = "Infinity";
  std::string not_a_number = "NaN";

  explicit Symbols(const Value& options) {
    options.each_member([this](std::string_view key, const Value& value) {
      if (!value.is_string() || value.string().empty()) return;
      const char32_t first = to_code_points(value.string()).front();
      if (key == "decimal-separator") decimal = first;
      if (key == "grouping-separator") grouping = first;
      if (key == "exponent-separator") exponent = first;
      if (key == "percent") percent = first;
      if (key == "per-mille") per_mille = first;
      if (key == "zero-digit") zero = first;
      if (key == "digit") digit = first;
      if (key == "pattern-separator") separator = first;
      if (key == "minus-sign") minus = value.string();
      if (key == "infinity") infinity = value.string();
      if (key == "NaN") not_a_number = value.string();
    });
  }
  [[nodiscard]] bool is_digit(char32_t c) const { return c >= zero && c < zero + 10; }
  [[nodiscard]] bool is_active(char32_t c) const {
    return is_digit(c) || c == decimal || c == exponent || c == grouping || c == digit ||
           c == separator;
  }
};

[[noreturn]] void fail(const char* code, const std::string& message) {
  throw Error(code, message);
}

// One of the two parts of a picture that ';' separates, taken apart and checked.
struct SubPicture {
  std::u32string prefix;
  std::u32string suffix;
  std::u32string integer;
  std::u32string fraction;
  std::optional<std::u32string> exponent;
  bool has_decimal = false;
  bool percent = false;
  bool per_mille = false;
  std::vector<std::size_t> integer_groups;  // digits to the right of each separator
  std::size_t regular_group = 0;
  std::vector<std::size_t> fraction_groups;  // digits to the left
  std::size_t least_integer = 0;
  std::size_t scaling = 0;
  std::size_t least_fraction = 0;
  std::size_t most_fraction = 0;

  SubPicture(const std::u32string& text, const Symbols& symbols) {
    take_apart(text, symbols);
    analyse(symbols);
  }

 private:
  void take_apart(const std::u32string& text, const Symbols& symbols) {
    const auto marks_active = [&](char32_t c) {
      return symbols.is_active(c) && c != symbols.exponent;
    };
    const auto first = std::ranges::find_if(text, marks_active);
    const auto last = std::find_if(text.rbegin(), text.rend(), marks_active);
    std::u32string active;
    if (first != text.end()) {
      prefix.assign(text.begin(), first);
      suffix.assign(last.base(), text.end());
      active.assign(first, last.base());
    } else {
      active = text;
    }
    percent = text.find(symbols.percent) != std::u32string::npos;
    per_mille = text.find(symbols.per_mille) != std::u32string::npos;
    std::u32string mantissa = active;
    const std::size_t e = active.find(symbols.exponent);
    if (e != std::u32string::npos) {
      mantissa = active.substr(0, e);
      exponent = active.substr(e + 1);
    }
    const std::size_t point = mantissa.find(symbols.decimal);
    has_decimal = point != std::u32string::npos;
    integer = mantissa.substr(0, point);
    if (has_decimal) fraction = mantissa.substr(point + 1);
    check(text, active, mantissa, symbols);
  }

  void check(const std::u32string& text, const std::u32string& active,
             const std::u32string& mantissa, const Symbols& symbols) const {
    const auto times = [&text](char32_t c) { return std::ranges::count(text, c); };
    if (times(symbols.decimal) > 1) {
      fail("D3081",
           "The sub-picture must not contain more than one instance of the 'decimal-separator' "
           "character");
    }
    if (times(symbols.percent) > 1) {
      fail("D3082",
           "The sub-picture must not contain more than one instance of the 'percent' character");
    }
    if (times(symbols.per_mille) > 1) {
      fail("D3083",
           "The sub-picture must not contain more than one instance of the 'per-mille' character");
    }
    if (percent && per_mille) {
      fail("D3084",
           "The sub-picture must not contain both a 'percent' and a 'per-mille' character");
    }
    const auto is_place = [&](char32_t c) { return symbols.is_digit(c) || c == symbols.digit; };
    if (std::ranges::none_of(mantissa, is_place)) {
      fail("D3085",
           "The mantissa part of a sub-picture must contain at least one character that is either "
           "an 'optional digit character' or a member of the 'decimal digit family'");
    }
    if (!std::ranges::all_of(active, [&](char32_t c) { return symbols.is_active(c); })) {
      fail("D3086",
           "The sub-picture must not contain a passive character that is preceded by an active "
           "character and that is followed by another active character");
    }
    const std::size_t point = text.find(symbols.decimal);
    if (point != std::u32string::npos) {
      const bool before = point > 0 && text[point - 1] == symbols.grouping;
      const bool after = point + 1 < text.size() && text[point + 1] == symbols.grouping;
      if (before || after) {
        fail("D3087",
             "The sub-picture must not contain a 'grouping-separator' character that appears "
             "adjacent to a 'decimal-separator' character");
      }
    } else if (!integer.empty() && integer.back() == symbols.grouping) {
      fail("D3088",
           "The sub-picture must not contain a 'grouping-separator' at the end of the integer "
           "part");
    }
    if (text.find(std::u32string(2, symbols.grouping)) != std::u32string::npos) {
      fail("D3089",
           "The sub-picture must not contain two adjacent instances of the 'grouping-separator' "
           "character");
    }
    check_digits(symbols);
  }

  void check_digits(const Symbols& symbols) const {
    const auto is_digit = [&](char32_t c) { return symbols.is_digit(c); };
    const std::size_t last_optional = integer.rfind(symbols.digit);
    if (last_optional != std::u32string::npos &&
        std::any_of(integer.begin(),
                    integer.begin() + static_cast<std::ptrdiff_t>(integer.find(symbols.digit)),
                    is_digit)) {
      fail("D3090",
           "The integer part of the sub-picture must not contain a member of the 'decimal digit "
           "family' that is followed by an instance of the 'optional digit character'");
    }
    const std::size_t first_optional = fraction.find(symbols.digit);
    if (first_optional != std::u32string::npos &&
        std::any_of(fraction.begin() + static_cast<std::ptrdiff_t>(fraction.rfind(symbols.digit)),
                    fraction.end(), is_digit)) {
      fail("D3091",
           "The fractional part of the sub-picture must not contain an instance of the 'optional "
           "digit character' that is followed by a member of the 'decimal digit family'");
    }
    if (!exponent) return;
    if (!exponent->empty() && (percent || per_mille)) {
      fail("D3092",
           "A sub-picture that contains a 'percent' or 'per-mille' character must not contain a "
           "character treated as an 'exponent-separator'");
    }
    if (exponent->empty() || !std::ranges::all_of(*exponent, is_digit)) {
      fail("D3093",
           "The exponent part of the sub-picture must comprise only of one or more characters "
           "that are members of the 'decimal digit family'");
    }
  }

  void analyse(const Symbols& symbols) {
    const auto is_place = [&](char32_t c) { return symbols.is_digit(c) || c == symbols.digit; };
    const auto is_digit = [&](char32_t c) { return symbols.is_digit(c); };
    for (std::size_t i = 0; i < integer.size(); ++i) {
      if (integer[i] != symbols.grouping) continue;
      integer_groups.push_back(static_cast<std::size_t>(std::count_if(
          integer.begin() + static_cast<std::ptrdiff_t>(i), integer.end(), is_place)));
    }
    if (!integer_groups.empty()) {
      const std::size_t factor =
          std::accumulate(integer_groups.begin(), integer_groups.end(), std::size_t{0},
                          [](std::size_t a, std::size_t b) { return std::gcd(a, b); });
      bool regular = factor > 0;
      for (std::size_t i = 1; i <= integer_groups.size() && regular; ++i) {
        regular = std::ranges::find(integer_groups, i * factor) != integer_groups.end();
      }
      regular_group = regular ? factor : 0;
    }
    for (std::size_t i = 0; i < fraction.size(); ++i) {
      if (fraction[i] != symbols.grouping) continue;
      fraction_groups.push_back(static_cast<std::size_t>(std::count_if(
          fraction.begin(), fraction.begin() + static_cast<std::ptrdiff_t>(i), is_place)));
    }
    least_integer = static_cast<std::size_t>(std::ranges::count_if(integer, is_digit));
    scaling = least_integer;
    least_fraction = static_cast<std::size_t>(std::ranges::count_if(fraction, is_digit));
    most_fraction = static_cast<std::size_t>(std::ranges::count_if(fraction, is_place));
    if (least_integer == 0 && most_fraction == 0) {
      if (exponent) {
        least_fraction = 1;
        most_fraction = 1;
      } else {
        least_integer = 1;
      }
    }
    if (exponent && least_integer == 0 && integer.find(symbols.digit) != std::u32string::npos) {
      least_integer = 1;
    }
    if (least_integer == 0 && least_fraction == 0) least_fraction = 1;
  }
};

std::string fixed_text(double number, std::size_t digits) {
  std::string text(400 + digits, '\0');
  const int length =
      std::snprintf(text.data(), text.size(), "%.*f", static_cast<int>(digits), std::abs(number));
  text.resize(static_cast<std::size_t>(std::max(length, 0)));
  return text;
}

}  // namespace

std::string format_number(double number, const std::string& picture, const Value& options) {
  const Symbols symbols(options);
  std::vector<std::u32string> parts(1);
  for (const char32_t c : to_code_points(picture)) {
    if (c == symbols.separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() > 2) {
    fail("D3080", "The picture string must only contain a maximum of two sub-pictures");
  }
  std::vector<SubPicture> pictures;
  for (const std::u32string& part : parts) pictures.emplace_back(part, symbols);
  const bool own_negative = pictures.size() == 2;
  const SubPicture& chosen = number < 0 && own_negative ? pictures[1] : pictures[0];
  const std::string prefix =
      (number < 0 && !own_negative ? symbols.minus : "") + to_utf8(chosen.prefix);
  const std::string suffix = to_utf8(chosen.suffix);
  if (std::isnan(number)) return symbols.not_a_number;
  if (std::isinf(number)) return prefix + symbols.infinity + suffix;

  double mantissa = number * (chosen.percent ? 100 : (chosen.per_mille ? 1000 : 1));
  int exponent = 0;
  if (chosen.exponent && mantissa != 0) {
    const double most = std::pow(10, static_cast<double>(chosen.scaling));
    const double least = std::pow(10, static_cast<double>(chosen.scaling) - 1);
    while (std::abs(mantissa) < least) {
      mantissa *= 10;
      --exponent;
    }
    while (std::abs(mantissa) > most) {
      mantissa /= 10;
      ++exponent;
    }
  }
  constexpr std::size_t kMostDigits = 100;
  const std::size_t digits = std::min(chosen.most_fraction, kMostDigits);
  const double rounded = round_half_even(mantissa, static_cast<int>(digits));
  const std::string plain = fixed_text(rounded, digits);
  const std::size_t point = plain.find('.');
  std::string whole = plain.substr(0, point);
  std::string fraction = point == std::string::npos ? "" : plain.substr(point + 1);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (whole.size() < chosen.least_integer) {
    whole.insert(0, chosen.least_integer - whole.size(), '0');
  }
  if (fraction.size() < chosen.least_fraction) fraction.resize(chosen.least_fraction, '0');

  const auto localised = [&symbols](const std::string& text) {
    std::u32string result;
    for (const char c : text) result += symbols.zero + static_cast<char32_t>(c - '0');
    return result;
  };
  std::u32string integer_text = localised(whole);
  if (chosen.regular_group > 0) {
    for (std::size_t at = chosen.regular_group; at < whole.size(); at += chosen.regular_group) {
      integer_text.insert(whole.size() - at, 1, symbols.grouping);
    }
  } else {
    for (const std::size_t group : chosen.integer_groups) {
      if (group < whole.size()) integer_text.insert(whole.size() - group, 1, symbols.grouping);
    }
  }
  std::u32string fraction_text = localised(fraction);
  std::size_t inserted = 0;
  for (const std::size_t group : chosen.fraction_groups) {
    if (group + inserted < fraction_text.size()) {
      fraction_text.insert(group + inserted++, 1, symbols.grouping);
    }
  }
  std::string text = to_utf8(integer_text);
  if (!fraction_text.empty()) {
    append_utf8(text, symbols.decimal);
    text += to_utf8(fraction_text);
  }
  if (chosen.exponent) {
    std::string power = std::to_string(std::abs(exponent));
    if (power.size() < chosen.exponent->size()) {
      power.insert(0, chosen.exponent->size() - power.size(), '0');
    }
    append_utf8(text, symbols.exponent);
    if (exponent < 0) text += symbols.minus;
    text += to_utf8(localised(power));
  }
  return prefix + text + suffix;
}

}  // namespace andon::query::jsonata
