// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>

#include "asl/jsonata_format_integer.hpp"
#include "asl/jsonata_functions.hpp"
#include "asl/utf8.hpp"

namespace andon::asl::jsonata {
namespace {

constexpr std::int64_t kMillisPerDay = 86'400'000;
constexpr std::string_view kIsoPicture = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";
constexpr std::array<std::string_view, 8> kDays = {"",         "Monday", "Tuesday",  "Wednesday",
                                                   "Thursday", "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

// A stretch of a picture: literal text, or a component between brackets.
struct Part {
  std::string literal;
  char component = '\0';
  std::optional<IntegerPicture::Case> names;
  std::optional<IntegerPicture> integer;
  bool z_for_utc = false;  // the modifier 't'
  std::optional<std::size_t> most_width;
  double year_modulus = 0;
};

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string default_presentation(char component) {
  static const std::map<char, std::string> defaults = {
      {'Y', "1"}, {'M', "1"}, {'D', "1"}, {'d', "1"},     {'F', "n"},    {'W', "1"},  {'w', "1"},
      {'X', "1"}, {'x', "1"}, {'H', "1"}, {'h', "1"},     {'P', "n"},    {'m', "01"}, {'s', "01"},
      {'f', "1"}, {'C', "n"}, {'E', "n"}, {'Z', "01:01"}, {'z', "01:01"}};
  const auto found = defaults.find(component);
  if (found == defaults.end()) {
    throw Error("D3132", "Unknown component specifier " + quoted(std::string(1, component)) +
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

// Days since 1970-01-01 of any month number, as Date.UTC counts them.
std::int64_t days_from(std::int64_t year, std::int64_t month0, std::int64_t day) {
  const std::int64_t years = year + floor_divide(month0, 12);
  const auto month = static_cast<unsigned>(month0 - 12 * floor_divide(month0, 12)) + 1;
  const std::chrono::sys_days first =
      std::chrono::year(static_cast<int>(years)) / static_cast<int>(month) / 1;
  return first.time_since_epoch().count() + day - 1;
}

struct Moment {
  std::int64_t day = 0;  // since 1970-01-01
  std::int64_t year = 0;
  std::int64_t month0 = 0;
  std::int64_t month_day = 0;
  std::int64_t millis = 0;  // of the day

  explicit Moment(std::int64_t time) : day(floor_divide(time, kMillisPerDay)) {
    millis = time - day * kMillisPerDay;
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    year = static_cast<int>(date.year());
    month0 = static_cast<unsigned>(date.month()) - 1;
    month_day = static_cast<unsigned>(date.day());
  }
  [[nodiscard]] std::int64_t week_day() const {  // Monday is 1
    const std::int64_t sunday0 = ((day + 4) % 7 + 7) % 7;
    return sunday0 == 0 ? 7 : sunday0;
  }
};

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

[[noreturn]] void no_names(char component) {
  throw Error("D3133",
              "The 'name' modifier can only be applied to months and days in the date/time picture "
              "string, not " +
                  quoted(std::string(1, component)));
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
  std::string text;
  if (picture.regular_group > 0) {
    text = picture.format(number(both));
  } else if (picture.least_digits <= 2) {
    text = picture.format(number(offset.hours));
    if (offset.minutes != 0) {
      text += ":" + IntegerPicture::parse("00").format(number(offset.minutes));
    }
  } else if (picture.least_digits <= 4) {
    text = picture.format(number(both));
  } else {
    throw Error("D3134", "The timezone integer format specifier cannot have more than four digits");
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

bool same_letters(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) {
           return lower_case(static_cast<unsigned char>(a)) ==
                  lower_case(static_cast<unsigned char>(b));
         });
}

// Reads what `part` stands for from the front of `rest`; false where it does not fit.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool read(const Part& part) {
    if (part.component == '\0') {
      if (!same_letters(rest_.substr(0, part.literal.size()), part.literal)) return false;
      rest_.remove_prefix(part.literal.size());
      return true;
    }
    if (part.component == 'Z' || part.component == 'z') return read_zone(part);
    if (part.component == 'f') return read_fraction();
    if (part.names || part.component == 'P') return read_name(part);
    if (!part.integer) no_names(part.component);
    const auto reading = part.integer->read(rest_);
    if (!reading) return false;
    components[part.component] = reading->number;
    rest_.remove_prefix(reading->used);
    return true;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  std::map<char, double> components;

 private:
  std::string digits() {
    std::string text;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
      text += rest_[0];
      rest_.remove_prefix(1);
    }
    return text;
  }

  bool read_zone(const Part& part) {
    if (part.z_for_utc && rest_.starts_with('Z')) {
      rest_.remove_prefix(1);
      components[part.component] = 0;
      return true;
    }
    if (part.component == 'z') {
      if (!same_letters(rest_.substr(0, 3), "GMT")) return false;
      rest_.remove_prefix(3);
    }
    if (rest_.empty() || (rest_[0] != '+' && rest_[0] != '-')) return false;
    const double sign = rest_[0] == '-' ? -1 : 1;
    rest_.remove_prefix(1);
    std::string hours = digits();
    std::string minutes;
    if (hours.empty()) return false;
    if (part.integer->regular_group > 0) {
      std::string separator;
      append_utf8(separator, part.integer->separators.front().character);
      if (!rest_.starts_with(separator)) return false;
      rest_.remove_prefix(separator.size());
      minutes = digits();
      if (minutes.empty()) return false;
    } else if (hours.size() > 2) {
      minutes = hours.substr(2);
      hours.resize(2);
    }
    components[part.component] =
        sign * read_number(hours) * 60 + (minutes.empty() ? 0 : read_number(minutes));
    return true;
  }

  bool read_fraction() {
    const std::string text = digits();
    if (text.empty()) return false;
    components['f'] = read_number("0." + text.substr(0, 3)) * 1000;
    return true;
  }

  bool read_name(const Part& part) {
    std::size_t length = 0;
    while (length < rest_.size() &&
           ((rest_[length] | 0x20) >= 'a' && (rest_[length] | 0x20) <= 'z')) {
      ++length;
    }
    const std::string_view word = rest_.substr(0, length);
    const std::size_t most = part.most_width.value_or(std::string::npos);
    double value = -1;
    if (part.component == 'M' || part.component == 'x') {
      for (std::size_t i = 0; i < kMonths.size(); ++i) {
        if (kMonths[i].substr(0, most) == word) value = static_cast<double>(i + 1);
      }
    } else if (part.component == 'F') {
      for (std::size_t i = 1; i < kDays.size(); ++i) {
        if (kDays[i].substr(0, most) == word) value = static_cast<double>(i);
      }
    } else if (part.component == 'P') {
      if (word == "am" || word == "AM") value = 0;
      if (word == "pm" || word == "PM") value = 1;
    } else {
      no_names(part.component);
    }
    if (value < 0) return false;
    components[part.component] = value;
    rest_.remove_prefix(length);
    return true;
  }

  std::string_view rest_;
};

// What is larger than the first given component comes from `now`, what is smaller is the least.
double assemble(std::map<char, double> components, std::int64_t now) {
  const auto has = [&components](std::string_view names) {
    return std::ranges::any_of(names, [&](char c) {
      const auto found = components.find(c);
      return found != components.end() && found->second != 0;
    });
  };
  const auto only = [&](std::string_view allowed, std::string_view of) {
    return has(allowed) && std::ranges::none_of(of, [&](char c) {
             return allowed.find(c) == std::string_view::npos && has({&c, 1});
           });
  };
  constexpr std::string_view kDate = "YXMxWwdD";
  constexpr std::string_view kTime = "PHhmsf";
  const bool date_a = only("YMD", kDate);
  const bool day_of_year = !date_a && only("Yd", kDate);
  const bool week_of_month = only("Xxw", kDate);
  const bool week_of_year = !week_of_month && only("XW", kDate);
  const bool time_a = only("Hmsf", kTime);
  const bool half_days = !time_a && only("Phmsf", kTime);
  std::string order =
      day_of_year ? "Yd" : (week_of_month ? "XxwF" : (week_of_year ? "XWF" : "YMD"));
  order += half_days ? "Phmsf" : "Hmsf";
  const Moment today(now);
  bool started = false;
  bool ended = false;
  for (const char c : order) {
    if (components.contains(c)) {
      started = true;
      if (ended) {
        throw Error("D3136",
                    "The date/time picture string is missing specifiers required to parse the "
                    "timestamp");
      }
    } else if (started) {
      components[c] = c == 'M' || c == 'D' || c == 'd' ? 1 : 0;
      ended = true;
    } else {
      components[c] = static_cast<double>(number_of(today, c));
    }
  }
  if (week_of_month || week_of_year) {
    throw Error("D3136",
                "The date/time picture string is missing specifiers required to parse the "
                "timestamp");
  }
  const auto get = [&components](char c) {
    constexpr double kLargest = 400'000;
    return static_cast<std::int64_t>(std::clamp(components[c], -kLargest, kLargest));
  };
  std::int64_t year = get('Y');
  if (year >= 0 && year <= 99) year += 1900;  // as Date.UTC reads two digits
  std::int64_t day = 0;
  if (day_of_year) {
    day = days_from(year, 0, 1) + get('d') - 1;
  } else {
    day = days_from(std::clamp<std::int64_t>(year, -30'000, 30'000),
                    std::max<std::int64_t>(get('M') - 1, 0), get('D'));
  }
  std::int64_t hours = get('H');
  if (half_days) {
    hours = get('h') == 12 ? 0 : get('h');
    if (get('P') == 1) hours += 12;
  }
  const double millis = static_cast<double>(day * kMillisPerDay + hours * 3'600'000 +
                                            get('m') * 60'000 + get('s') * 1000) +
                        std::trunc(components['f']);
  const double zone = components.contains('Z') ? components['Z'] : components['z'];
  return millis - zone * 60'000;
}

std::optional<double> parse_iso(const std::string& text) {
  const auto bad = [&text] {
    return Error("D3110",
                 "The argument of the toMillis function must be an ISO 8601 formatted timestamp. "
                 "Given " +
                     base::to_text(json::value(json::string(text))));
  };
  std::size_t at = 0;
  const auto digits = [&](std::size_t count) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count; ++i, ++at) {
      if (at >= text.size() || text[at] < '0' || text[at] > '9') throw bad();
      value = value * 10 + (text[at] - '0');
    }
    return value;
  };
  const auto take = [&](char c) {
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  };
  const std::int64_t year = digits(4);
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::int64_t seconds = 0;
  double millis = 0;
  if (take('-')) {
    month = digits(2);
    if (take('-')) day = digits(2);
  }
  bool in_range = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  if (take('T')) {
    const std::int64_t hour = digits(2);
    if (!take(':')) throw bad();
    const std::int64_t minute = digits(2);
    if (!take(':')) throw bad();
    const std::int64_t second = digits(2);
    in_range = in_range && hour <= 24 && minute < 60 && second < 60;
    seconds = hour * 3600 + minute * 60 + second;
  }
  if (take('.')) {
    const std::size_t start = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    if (at == start) throw bad();
    millis = std::floor(read_number("0." + text.substr(start, at - start)) * 1000 + 1e-6);
  }
  std::int64_t offset = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    const std::int64_t sign = text[at++] == '-' ? -1 : 1;
    const std::int64_t hours = digits(2);
    (void)take(':');
    offset = sign * (hours * 60 + digits(2));
  } else {
    (void)take('Z');
  }
  if (at != text.size()) throw bad();
  if (!in_range) return std::nan("");
  const std::int64_t days = days_from(year, month - 1, day);
  if (Moment(days * kMillisPerDay).month0 != month - 1) return std::nan("");
  return static_cast<double>(days * kMillisPerDay + (seconds - offset * 60) * 1000) + millis;
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

std::optional<double> parse_time(const std::string& text, const std::string* picture,
                                 std::int64_t now) {
  if (picture == nullptr) return parse_iso(text);
  TimeReader reader(text);
  for (const Part& part : read_picture(*picture)) {
    if (!reader.read(part)) return std::nullopt;
  }
  if (!reader.at_end() || reader.components.empty()) return std::nullopt;
  return assemble(std::move(reader.components), now);
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

}  // namespace andon::asl::jsonata
