// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>

#include "query/document/utf8.hpp"
#include "query/jsonata/functions/functions.hpp"
#include "query/jsonata/pictures/time_picture.hpp"

namespace andon::query::jsonata {
namespace {

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

}  // namespace

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

}  // namespace andon::query::jsonata
