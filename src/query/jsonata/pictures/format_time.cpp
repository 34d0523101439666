// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "query/document/utf8.hpp"
#include "query/jsonata/functions/functions.hpp"
#include "query/jsonata/pictures/time_picture.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::string_view kIsoPicture = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

std::string in_case(std::string_view name, IntegerPicture::Case letter_case) {
  std::string text(name);
  if (letter_case == IntegerPicture::Case::title) return text;
  for (char& c : text) {
    const auto letter = static_cast<unsigned char>(c);
    c = static_cast<char>(letter_case == IntegerPicture::Case::upper ? upper_case(letter)
                                                                     : lower_case(letter));
  }
  return text;
}

struct Offset {
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
};

std::string zone_text(const Part& part, const Offset& offset) {
  const std::int64_t both = offset.hours * 100 + offset.minutes;
  if (both == 0 && part.z_for_utc) return "Z";
  const IntegerPicture& picture = *part.integer;
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  const bool has_separator = picture.regular_group > 0;
  if (!has_separator && picture.least_digits > 4) {
    throw Error("D3134", "The timezone integer format specifier cannot have more than four digits");
  }
  std::string text;
  if (has_separator || picture.least_digits > 2) {
    text = picture.format(number(both));
  } else {
    text = picture.format(number(offset.hours));
    if (offset.minutes != 0) {
      text += ":" + IntegerPicture::parse("00").format(number(offset.minutes));
    }
  }
  if (both >= 0) text.insert(0, "+");
  return part.component == 'z' ? "GMT" + text : text;
}

std::string component_text(const Part& part, const Moment& moment, const Offset& offset) {
  switch (part.component) {
    case 'Z':
    case 'z':
      return zone_text(part, offset);
    case 'P': {
      const std::string_view half = number_of(moment, 'P') == 1 ? "pm" : "am";
      return in_case(half, part.names == IntegerPicture::Case::upper ? IntegerPicture::Case::upper
                                                                     : IntegerPicture::Case::lower);
    }
    case 'C':
    case 'E':
      return "ISO";
    default:
      break;
  }
  const std::int64_t number = number_of(moment, part.component);
  if (!part.names) {
    auto value = static_cast<double>(number);
    if (part.component == 'Y' && part.year_modulus > 0) value = std::fmod(value, part.year_modulus);
    return part.integer->format(value);
  }
  std::string_view name;
  if (part.component == 'M' || part.component == 'x') {
    name = kMonths[static_cast<std::size_t>(number - 1)];
  } else if (part.component == 'F') {
    name = kDays[static_cast<std::size_t>(number)];
  } else {
    no_names(part.component);
  }
  return in_case(name, *part.names).substr(0, part.most_width.value_or(std::string::npos));
}

Value from_millis(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  constexpr double kLargest = 8.64e15;  // as JavaScript's Date
  const double millis = arguments[0].number();
  if (!(std::abs(millis) <= kLargest / 10)) throw Error("", "Invalid time value");
  const auto text_at = [&](std::size_t i) {
    return arguments.size() > i && arguments[i].is_string() ? &arguments[i].string() : nullptr;
  };
  return format_time(static_cast<std::int64_t>(std::trunc(millis)), text_at(1), text_at(2));
}

Value to_millis(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const bool has_picture = arguments.size() > 1 && arguments[1].is_string();
  const auto millis =
      parse_time(arguments[0].string(), has_picture ? &arguments[1].string() : nullptr,
                 base::to_epoch_millis(evaluator.environment().now));
  return millis ? Value(*millis) : Value();
}

Value now(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const auto text_at = [&](std::size_t i) {
    return arguments.size() > i && arguments[i].is_string() ? &arguments[i].string() : nullptr;
  };
  return format_time(base::to_epoch_millis(evaluator.environment().now), text_at(0), text_at(1));
}

Value millis(Evaluator& evaluator, const Items& /*arguments*/, const Value& /*context*/) {
  return static_cast<double>(base::to_epoch_millis(evaluator.environment().now));
}

}  // namespace

std::string format_time(std::int64_t millis, const std::string* picture, const std::string* zone) {
  Offset offset;
  if (zone != nullptr) {
    std::string_view text = *zone;
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const std::size_t length =
        std::min<std::size_t>(std::min(text.find_first_not_of("0123456789"), text.size()), 6);
    const auto value = static_cast<std::int64_t>(read_number(text.substr(0, length)));
    const std::int64_t number = negative ? -value : value;
    offset.hours = floor_divide(number, 100);
    offset.minutes = number % 100;
  }
  const Moment moment(millis + (offset.hours * 60 + offset.minutes) * 60'000);
  std::string text;
  for (const Part& part : read_picture(picture != nullptr ? *picture : kIsoPicture)) {
    text += part.component == '\0' ? part.literal : component_text(part, moment, offset);
  }
  return text;
}

const std::vector<NativeEntry>& time_functions() {
  static const std::vector<NativeEntry> table = {
      {"toMillis", "<s-s?:n>", 2, to_millis},
      {"fromMillis", "<n-s?s?:s>", 3, from_millis},
      {"now", "<s?s?:s>", 2, now},
      {"millis", "<:n>", 0, millis},
  };
  return table;
}

}  // namespace andon::query::jsonata
