// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/pictures/format_integer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include "query/document/utf8.hpp"
#include "query/jsonata/functions/functions.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::array<std::string_view, 20> kFew = {
    "Zero",     "One",     "Two",     "Three",     "Four",     "Five",    "Six",
    "Seven",    "Eight",   "Nine",    "Ten",       "Eleven",   "Twelve",  "Thirteen",
    "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen"};
constexpr std::array<std::string_view, 20> kOrdinals = {
    "Zeroth",     "First",     "Second",    "Third",       "Fourth",     "Fifth",     "Sixth",
    "Seventh",    "Eighth",    "Ninth",     "Tenth",       "Eleventh",   "Twelfth",   "Thirteenth",
    "Fourteenth", "Fifteenth", "Sixteenth", "Seventeenth", "Eighteenth", "Nineteenth"};
constexpr std::array<std::string_view, 8> kDecades = {"Twenty", "Thirty",  "Forty",  "Fifty",
                                                      "Sixty",  "Seventy", "Eighty", "Ninety"};
constexpr std::array<std::string_view, 4> kMagnitudes = {"Thousand", "Million", "Billion",
                                                         "Trillion"};

std::string words(double number, bool follows, bool ordinal) {
  const auto at = [](double index) { return static_cast<std::size_t>(index); };
  if (number <= 19) {
    return (follows ? " and " : "") + std::string((ordinal ? kOrdinals : kFew)[at(number)]);
  }
  if (number < 100) {
    std::string text = (follows ? " and " : "") + std::string(kDecades[at(number / 10) - 2]);
    const double rest = std::fmod(number, 10);
    if (rest > 0) return text + "-" + words(rest, false, ordinal);
    if (ordinal) text.replace(text.size() - 1, 1, "ieth");
    return text;
  }
  std::string text = follows ? ", " : "";
  double rest = 0;
  if (number < 1000) {
    rest = std::fmod(number, 100);
    text += std::string(kFew[at(number / 100)]) + " Hundred";
  } else {
    std::size_t magnitude = 1;
    while (magnitude < kMagnitudes.size() &&
           number >= std::pow(1000, static_cast<double>(magnitude + 1))) {
      ++magnitude;
    }
    const double factor = std::pow(1000, static_cast<double>(magnitude));
    const double count = std::floor(number / factor);
    rest = number - count * factor;
    text += words(count, false, false) + " " + std::string(kMagnitudes[magnitude - 1]);
  }
  if (rest > 0) return text + words(rest, true, ordinal);
  return ordinal ? text + "th" : text;
}

std::string roman(double number) {
  struct Numeral {
    double value;
    std::string_view letters;
  };
  constexpr std::array<Numeral, 13> kNumerals = {{{1000, "m"},
                                                  {900, "cm"},
                                                  {500, "d"},
                                                  {400, "cd"},
                                                  {100, "c"},
                                                  {90, "xc"},
                                                  {50, "l"},
                                                  {40, "xl"},
                                                  {10, "x"},
                                                  {9, "ix"},
                                                  {5, "v"},
                                                  {4, "iv"},
                                                  {1, "i"}}};
  constexpr double kMost = 1'000'000;
  if (number > kMost) throw Error("D3130", "Formatting a number above 1000000 as roman numerals");
  std::string text;
  for (const Numeral& numeral : kNumerals) {
    for (; number >= numeral.value; number -= numeral.value) text += numeral.letters;
  }
  return text;
}

std::string letters(double number, char first) {
  std::string text;
  while (number > 0) {
    const double digit = std::fmod(number - 1, 26);
    text.insert(text.begin(), static_cast<char>(first + static_cast<int>(digit)));
    number = std::floor((number - 1) / 26);
  }
  return text;
}

std::string change_case(std::string text, IntegerPicture::Case letter_case) {
  if (letter_case == IntegerPicture::Case::title) return text;
  for (char& c : text) {
    c = static_cast<char>(letter_case == IntegerPicture::Case::upper
                              ? upper_case(static_cast<unsigned char>(c))
                              : lower_case(static_cast<unsigned char>(c)));
  }
  return text;
}

// The first of the ten digits that `c` belongs to, or nothing.
std::optional<char32_t> digit_family(char32_t c) {
  constexpr std::array<char32_t, 37> kZeros = {
      0x30,   0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6,
      0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0,
      0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620,
      0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10};
  for (const char32_t zero : kZeros) {
    if (c >= zero && c <= zero + 9) return zero;
  }
  return std::nullopt;
}

void read_decimal_picture(IntegerPicture& picture, const std::u32string& text) {
  std::optional<char32_t> zero;
  picture.least_digits = 0;
  std::size_t digits = 0;
  for (std::size_t i = text.size(); i-- > 0;) {
    const char32_t c = text[i];
    if (const auto family = digit_family(c)) {
      if (zero && *zero != *family) {
        throw Error("D3131",
                    "In a decimal digit pattern, all digits must be from the same decimal group");
      }
      zero = family;
      ++picture.least_digits;
      ++digits;
    } else if (c == '#') {
      ++picture.optional_digits;
      ++digits;
    } else {
      picture.separators.push_back({digits, c});
    }
  }
  if (picture.least_digits == 0) {
    throw Error("D3130", "Formatting or parsing an integer as a sequence starting with " +
                             base::to_text(json::value(json::string(to_utf8(text)))) +
                             " is not supported by this implementation");
  }
  picture.zero = *zero;
  if (picture.separators.empty()) return;
  std::size_t factor = 0;
  bool same = true;
  for (const auto& separator : picture.separators) {
    same = same && separator.character == picture.separators.front().character;
    factor = std::gcd(factor, separator.position);
  }
  for (std::size_t i = 1; i <= picture.separators.size() && same && factor > 0; ++i) {
    same = std::ranges::any_of(picture.separators, [&](const auto& separator) {
      return separator.position == i * factor;
    });
  }
  picture.regular_group = same ? factor : 0;
}

// Every spelling of a number up to ninety, of a magnitude, and their values.
const std::map<std::string, double, std::less<>>& word_values() {
  static const auto values = [] {
    std::map<std::string, double, std::less<>> table;
    const auto add = [&table](std::string_view word, double value) {
      table[change_case(std::string(word), IntegerPicture::Case::lower)] = value;
    };
    for (std::size_t i = 0; i < kFew.size(); ++i) {
      add(kFew[i], static_cast<double>(i));
      add(kOrdinals[i], static_cast<double>(i));
    }
    for (std::size_t i = 0; i < kDecades.size(); ++i) {
      const double value = static_cast<double>(i + 2) * 10;
      add(kDecades[i], value);
      add(std::string(kDecades[i].substr(0, kDecades[i].size() - 1)) + "ieth", value);
    }
    add("hundred", 100);
    add("hundredth", 100);
    for (std::size_t i = 0; i < kMagnitudes.size(); ++i) {
      const double value = std::pow(1000, static_cast<double>(i + 1));
      add(kMagnitudes[i], value);
      add(std::string(kMagnitudes[i]) + "th", value);
    }
    return table;
  }();
  return values;
}

std::optional<IntegerPicture::Reading> read_words(std::string_view text) {
  IntegerPicture::Reading reading;
  std::vector<double> segments = {0};
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t start = at;
    while (start < text.size() &&
           (text[start] == ' ' || text[start] == ',' || text[start] == '-')) {
      ++start;
    }
    std::size_t end = start;
    std::string word;
    while (end < text.size()) {
      const char lower = static_cast<char>(text[end] | 0x20);
      if (lower < 'a' || lower > 'z') break;
      word += lower;
      ++end;
    }
    if (word.empty() || word.size() > 20) break;
    if (word != "and" || !any) {
      const auto found = word_values().find(word);
      if (found == word_values().end()) break;
      const double value = found->second;
      if (value < 100) {
        const double top = segments.back();
        if (top >= 1000) {
          segments.push_back(value);
        } else {
          segments.back() = top + value;
        }
      } else {
        segments.back() *= value;
      }
      any = true;
      reading.used = end;
    }
    at = end;
  }
  if (!any) return std::nullopt;
  reading.number = std::accumulate(segments.begin(), segments.end(), 0.0);
  return reading;
}

std::optional<IntegerPicture::Reading> read_roman(std::string_view text) {
  static const std::map<char, double> values = {{'i', 1},   {'v', 5},   {'x', 10},  {'l', 50},
                                                {'c', 100}, {'d', 500}, {'m', 1000}};
  IntegerPicture::Reading reading;
  double before = 0;
  for (const char c : text) {
    const auto found = values.find(static_cast<char>(c | 0x20));
    if (found == values.end()) break;
    reading.number += found->second;
    if (before < found->second) reading.number -= 2 * before;
    before = found->second;
    ++reading.used;
  }
  if (reading.used == 0) return std::nullopt;
  return reading;
}

std::optional<IntegerPicture::Reading> read_letters(std::string_view text, char first) {
  IntegerPicture::Reading reading;
  for (const char c : text) {
    if (c < first || c > first + 25) break;
    reading.number = reading.number * 26 + (c - first + 1);
    ++reading.used;
  }
  if (reading.used == 0) return std::nullopt;
  return reading;
}

std::string ordinal_suffix(const std::string& digits) {
  const char last = digits.back();
  const bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
  if (teen) return "th";
  return last == '1' ? "st" : (last == '2' ? "nd" : (last == '3' ? "rd" : "th"));
}

}  // namespace

IntegerPicture IntegerPicture::parse(std::string_view text) {
  IntegerPicture picture;
  std::string_view primary = text;
  if (const std::size_t modifier = text.rfind(';'); modifier != std::string_view::npos) {
    primary = text.substr(0, modifier);
    picture.ordinal = text.substr(modifier + 1).starts_with('o');
  }
  const auto set = [&picture](Style wanted_style, Case wanted_case) {
    picture.style = wanted_style;
    picture.letter_case = wanted_case;
  };
  if (primary == "A") {
    set(Style::letters, Case::upper);
  } else if (primary == "a") {
    set(Style::letters, Case::lower);
  } else if (primary == "I") {
    set(Style::roman, Case::upper);
  } else if (primary == "i") {
    set(Style::roman, Case::lower);
  } else if (primary == "W") {
    set(Style::words, Case::upper);
  } else if (primary == "Ww") {
    set(Style::words, Case::title);
  } else if (primary == "w") {
    set(Style::words, Case::lower);
  } else {
    read_decimal_picture(picture, to_code_points(primary));
  }
  return picture;
}

std::string IntegerPicture::format(double number) const {
  const bool negative = number < 0;
  number = std::abs(number);
  std::string text;
  switch (style) {
    case Style::letters:
      text = letters(number, letter_case == Case::upper ? 'A' : 'a');
      break;
    case Style::roman:
      text = change_case(roman(number), letter_case);
      break;
    case Style::words:
      if (!(number < 1e30)) throw Error("D3130", "The number is too large to be written in words");
      text = change_case(words(number, false, ordinal), letter_case);
      break;
    case Style::decimal: {
      std::array<char, 400> buffer{};
      std::snprintf(buffer.data(), buffer.size(), "%.0f", number);
      std::string digits = buffer.data();
      constexpr std::size_t kMostDigits = 1000;
      if (digits.size() < least_digits) {
        digits.insert(0, std::min(least_digits - digits.size(), kMostDigits), '0');
      }
      std::u32string shown;
      for (std::size_t i = 0; i < digits.size(); ++i) {
        const std::size_t right = digits.size() - i;
        const auto listed = std::ranges::find_if(
            separators, [right](const Separator& s) { return s.position == right; });
        if (i > 0 && regular_group > 0 && right % regular_group == 0) {
          shown += separators.front().character;
        } else if (i > 0 && regular_group == 0 && listed != separators.end()) {
          shown += listed->character;
        }
        shown += zero + static_cast<char32_t>(digits[i] - '0');
      }
      text = to_utf8(shown);
      if (ordinal) text += ordinal_suffix(digits);
      break;
    }
  }
  return negative ? "-" + text : text;
}

std::optional<IntegerPicture::Reading> IntegerPicture::read(std::string_view text) const {
  switch (style) {
    case Style::letters:
      return read_letters(text, letter_case == Case::upper ? 'A' : 'a');
    case Style::roman:
      return read_roman(text);
    case Style::words:
      return read_words(text);
    case Style::decimal:
      break;
  }
  Reading reading;
  std::size_t digits = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const bool is_separator = std::ranges::any_of(
        separators, [&](const Separator& s) { return s.character == point.value; });
    if (point.value >= zero && point.value <= zero + 9) {
      if (parse_width > 0 && digits == parse_width) break;
      reading.number = reading.number * 10 + static_cast<double>(point.value - zero);
      ++digits;
    } else if (!is_separator || digits == 0) {
      break;
    }
    at += point.length;
    reading.used = at;
  }
  if (digits == 0) return std::nullopt;
  if (ordinal && reading.used + 2 <= text.size()) {
    const std::string_view suffix = text.substr(reading.used, 2);
    if (suffix == "st" || suffix == "nd" || suffix == "rd" || suffix == "th") reading.used += 2;
  }
  return reading;
}

std::string format_integer(double number, const std::string& picture) {
  if (!std::isfinite(number)) return number_text(number);
  return IntegerPicture::parse(picture).format(number);
}

std::optional<double> parse_integer(const std::string& text, const std::string& picture) {
  const auto reading = IntegerPicture::parse(picture).read(text);
  return reading ? std::optional(reading->number) : std::nan("");
}

}  // namespace andon::query::jsonata
