// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/pictures/time_picture.hpp"

#include <algorithm>

#include "query/jsonata/functions/functions.hpp"

namespace andon::query::jsonata {
namespace {

std::string default_presentation(char component) {
  static const std::map<char, std::string> defaults = {
      {'Y', "1"}, {'M', "1"}, {'D', "1"}, {'d', "1"},     {'F', "n"},    {'W', "1"},  {'w', "1"},
      {'X', "1"}, {'x', "1"}, {'H', "1"}, {'h', "1"},     {'P', "n"},    {'m', "01"}, {'s', "01"},
      {'f', "1"}, {'C', "n"}, {'E', "n"}, {'Z', "01:01"}, {'z', "01:01"}};
  const auto found = defaults.find(component);
  if (found == defaults.end()) {
    throw Error("D3132", "Unknown component specifier " + in_quotes(std::string(1, component)) +
                             " in date/time picture string");
  }
  return found->second;
}

std::optional<std::size_t> width_of(std::string_view text) {
  if (text.empty() || text == "*") return std::nullopt;
  const double width = read_number(text);
  constexpr double kMost = 100;
  return static_cast<std::size_t>(std::clamp(width, 0.0, kMost));
}

Part read_component(std::string marker, std::vector<Part>& before) {
  std::erase_if(marker, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  Part part;
  part.component = marker.empty() ? ' ' : marker[0];
  const std::string fallback = default_presentation(part.component);
  std::optional<std::size_t> least_width;
  std::string presentation = marker.substr(1);
  if (const std::size_t comma = presentation.rfind(','); comma != std::string::npos) {
    const std::string width = presentation.substr(comma + 1);
    const std::size_t dash = width.find('-');
    least_width = width_of(std::string_view(width).substr(0, dash));
    if (dash != std::string::npos)
      part.most_width = width_of(std::string_view(width).substr(dash + 1));
    presentation.resize(comma);
  }
  std::string modifier;
  if (presentation.size() > 1 &&
      std::string_view("atco").find(presentation.back()) != std::string_view::npos) {
    modifier = presentation.substr(presentation.size() - 1);
    presentation.pop_back();
  }
  if (presentation.empty()) presentation = fallback;
  part.z_for_utc = modifier == "t";
  if (presentation[0] == 'n') {
    part.names = IntegerPicture::Case::lower;
  } else if (presentation[0] == 'N') {
    part.names = presentation.size() > 1 && presentation[1] == 'n' ? IntegerPicture::Case::title
                                                                   : IntegerPicture::Case::upper;
  } else if (std::string_view("YMDdFWwXxHhmsf").find(part.component) != std::string_view::npos) {
    part.integer =
        IntegerPicture::parse(modifier.empty() ? presentation : presentation + ";" + modifier);
    IntegerPicture& integer = *part.integer;
    if (least_width) integer.least_digits = std::max(integer.least_digits, *least_width);
    if (part.component == 'Y') {
      std::size_t digits = integer.least_digits + integer.optional_digits;
      if (part.most_width) {
        digits = *part.most_width;
        integer.least_digits = digits;
      }
      if (part.most_width || digits >= 2) {
        part.year_modulus = std::pow(10, static_cast<double>(digits));
      }
    }
    if (!before.empty() && before.back().integer) {
      before.back().integer->parse_width = before.back().integer->least_digits;
    }
  }
  if (part.component == 'Z' || part.component == 'z') {
    part.integer = IntegerPicture::parse(presentation);
  }
  return part;
}

// The Monday of the week that has the first Thursday of a year or month.
std::int64_t first_week(std::int64_t year, std::int64_t month0) {
  const std::int64_t first = days_from(year, month0, 1);
  const std::int64_t weekday = Moment(first * kMillisPerDay).week_day();
  return weekday > 4 ? first + 8 - weekday : first - weekday + 1;
}

// `step` is the distance to the next period: 12 months or 1.
std::int64_t week_of(const Moment& moment, std::int64_t month0, std::int64_t step) {
  std::int64_t week = floor_divide(moment.day - first_week(moment.year, month0), 7) + 1;
  const std::int64_t longest = step == 12 ? 52 : 4;
  if (week > longest) {
    if (moment.day >= first_week(moment.year, month0 + step)) week = 1;
  } else if (week < 1) {
    week = floor_divide(moment.day - first_week(moment.year, month0 - step), 7) + 1;
  }
  return week;
}

}  // namespace

std::vector<Part> read_picture(std::string_view picture) {
  std::vector<Part> parts;
  std::string literal;
  const auto finish_literal = [&] {
    if (literal.empty()) return;
    parts.emplace_back();
    parts.back().literal = std::move(literal);
    literal.clear();
  };
  for (std::size_t i = 0; i < picture.size(); ++i) {
    const char c = picture[i];
    const bool doubled = i + 1 < picture.size() && picture[i + 1] == c;
    if ((c == '[' || c == ']') && doubled) {
      literal += c;
      ++i;
      continue;
    }
    if (c != '[') {
      literal += c;
      continue;
    }
    const std::size_t close = picture.find(']', i);
    if (close == std::string_view::npos) {
      throw Error("D3135", "No matching closing bracket ']' in date/time picture string");
    }
    finish_literal();
    parts.push_back(read_component(std::string(picture.substr(i + 1, close - i - 1)), parts));
    i = close;
  }
  finish_literal();
  return parts;
}

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value >= 0 ? value / by : -((-value + by - 1) / by);
}

std::int64_t days_from(std::int64_t year, std::int64_t month0, std::int64_t day) {
  const std::int64_t years = year + floor_divide(month0, 12);
  const auto month = static_cast<unsigned>(month0 - 12 * floor_divide(month0, 12)) + 1;
  const std::chrono::sys_days first =
      std::chrono::year(static_cast<int>(years)) / static_cast<int>(month) / 1;
  return first.time_since_epoch().count() + day - 1;
}

void no_names(char component) {
  throw Error("D3133",
              "The 'name' modifier can only be applied to months and days in the date/time picture "
              "string, not " +
                  in_quotes(std::string(1, component)));
}

std::int64_t number_of(const Moment& moment, char component) {
  const std::int64_t hour = moment.millis / 3'600'000;
  switch (component) {
    case 'Y':
      return moment.year;
    case 'M':
      return moment.month0 + 1;
    case 'D':
      return moment.month_day;
    case 'd':
      return moment.day - days_from(moment.year, 0, 1) + 1;
    case 'F':
      return moment.week_day();
    case 'W':
      return week_of(moment, 0, 12);
    case 'w':
      return week_of(moment, moment.month0, 1);
    case 'X':
      if (moment.day < first_week(moment.year, 0)) return moment.year - 1;
      return moment.day >= first_week(moment.year + 1, 0) ? moment.year + 1 : moment.year;
    case 'x':
      if (moment.day < first_week(moment.year, moment.month0)) return (moment.month0 + 11) % 12 + 1;
      return moment.day >= first_week(moment.year, moment.month0 + 1) ? (moment.month0 + 1) % 12 + 1
                                                                      : moment.month0 + 1;
    case 'H':
      return hour;
    case 'h':
      return hour % 12 == 0 ? 12 : hour % 12;
    case 'P':
      return hour >= 12 ? 1 : 0;
    case 'm':
      return moment.millis / 60'000 % 60;
    case 's':
      return moment.millis / 1000 % 60;
    default:
      return moment.millis % 1000;
  }
}

}  // namespace andon::query::jsonata
