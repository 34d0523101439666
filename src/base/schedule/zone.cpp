// SPDX-License-Identifier: Apache-2.0
#include "base/schedule/zone.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/text/ascii.hpp"

namespace andon::base {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr const char* kDirectory = "/usr/share/zoneinfo/";
constexpr std::size_t kMostName = 50;
constexpr std::size_t kMostZones = 600;  // that are kept in memory
constexpr std::size_t kHeaderBytes = 44;

[[noreturn]] void damaged() {
  throw Error(ErrorCode::invalid_argument, "it is no file of a time zone (TZif)");
}

std::int64_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  if (at + count > bytes.size()) damaged();
  std::uint64_t value = (static_cast<unsigned char>(bytes[at]) & 0x80U) != 0 ? ~0ULL : 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return static_cast<std::int64_t>(value);
}

struct Header {
  std::size_t utc_marks, standard_marks, leaps, times, types, letters;
  [[nodiscard]] std::size_t body(std::size_t time_bytes) const {
    return times * time_bytes + times + types * 6 + letters + leaps * (time_bytes + 4) +
           standard_marks + utc_marks;
  }
};

Header read_header(std::string_view bytes, std::size_t at) {
  if (at + kHeaderBytes > bytes.size() || bytes.substr(at, 4) != "TZif") damaged();
  const auto count = [&](std::size_t index) {
    const std::int64_t value = big_endian(bytes, at + 20 + index * 4, 4);
    if (value < 0 || value > static_cast<std::int64_t>(Zone::kMostBytes)) damaged();
    return static_cast<std::size_t>(value);
  };
  return {count(0), count(1), count(2), count(3), count(4), count(5)};
}

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > kMostName || !is_letter(name.front())) return false;
  if (!is_name_of(name, "/_+-") || name.find("//") != std::string_view::npos) return false;
  return !name.ends_with('/') && !name.starts_with("posix") && !name.starts_with("right");
}

}  // namespace

// EST5EDT,M3.2.0,M11.1.0 or <+03>-3: what POSIX's TZ says.
class Zone::RuleReader {
 public:
  explicit RuleReader(std::string_view text) : rest_(text) {}

  std::optional<Rule> read() {
    if (rest_.empty()) return std::nullopt;
    Rule rule;
    name();
    rule.standard = -clock();
    if (rest_.empty()) return rule;
    name();
    rule.summer = rest_.starts_with(',') ? rule.standard + std::chrono::hours(1) : -clock();
    rule.to_summer = change();
    rule.to_standard = change();
    if (!rest_.empty()) damaged();
    return rule;
  }

 private:
  char take() {
    if (rest_.empty()) damaged();
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void name() {
    if (rest_.starts_with('<')) {
      while (take() != '>') {
      }
      return;
    }
    if (rest_.empty() || !is_letter(rest_.front())) damaged();
    while (!rest_.empty() && is_letter(rest_.front())) rest_.remove_prefix(1);
  }
  int number() {
    int value = 0;
    if (rest_.empty() || !is_digit(rest_.front())) damaged();
    while (!rest_.empty() && is_digit(rest_.front())) {
      value = value * 10 + (take() - '0');
      if (value > 1000) damaged();
    }
    return value;
  }
  // [+-]hh[:mm[:ss]]
  seconds clock() {
    int sign = 1;
    if (rest_.starts_with('+') || rest_.starts_with('-')) sign = take() == '-' ? -1 : 1;
    std::int64_t value = std::int64_t{number()} * 3600;
    for (const int unit : {60, 1}) {
      if (!rest_.starts_with(':')) break;
      take();
      value += std::int64_t{number()} * unit;
    }
    return seconds(sign * value);
  }
  Change change() {
    Change made;
    if (take() != ',') damaged();
    if (rest_.starts_with('M')) {
      take();
      made.kind = Change::Kind::month_week_day;
      made.month = number();
      if (take() != '.') damaged();
      made.week = number();
      if (take() != '.') damaged();
      made.day = number();
      if (made.month < 1 || made.month > 12 || made.week < 1 || made.week > 5 || made.day > 6) {
        damaged();
      }
    } else {
      if (rest_.starts_with('J')) {
        take();
        made.kind = Change::Kind::day_without_leap;
      }
      made.day = number();
      if (made.day > 365) damaged();
    }
    if (rest_.starts_with('/')) {
      take();
      made.time = clock();
    }
    return made;
  }

  std::string_view rest_;
};

Zone Zone::parse(std::string_view bytes) {
  if (bytes.size() > kMostBytes) damaged();
  std::size_t at = 0;
  Header header = read_header(bytes, 0);
  std::size_t time_bytes = 4;
  if (bytes.size() > 4 && bytes[4] >= '2') {
    at = kHeaderBytes + header.body(4);
    header = read_header(bytes, at);
    time_bytes = 8;
  }
  at += kHeaderBytes;
  if (header.types == 0 || at + header.body(time_bytes) > bytes.size()) damaged();
  const std::size_t types = at + header.times * (time_bytes + 1);
  const auto offset_of = [&](std::size_t type) {
    if (type >= header.types) damaged();
    return seconds(big_endian(bytes, types + type * 6, 4));
  };
  Zone zone;
  zone.first_offset_ = offset_of(0);
  for (std::size_t i = 0; i < header.times; ++i) {
    const auto type = static_cast<unsigned char>(bytes[at + header.times * time_bytes + i]);
    zone.transitions_.push_back(
        {big_endian(bytes, at + i * time_bytes, time_bytes), offset_of(type)});
  }
  if (!std::ranges::is_sorted(zone.transitions_, {}, &Transition::at)) damaged();
  if (time_bytes == 8) {
    std::string_view rest = bytes.substr(at + header.body(time_bytes));
    if (!rest.starts_with('\n')) damaged();
    rest.remove_prefix(1);
    zone.rule_ = RuleReader(rest.substr(0, rest.find('\n'))).read();
  }
  return zone;
}

std::shared_ptr<const Zone> Zone::find(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Zone>> known;
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(name); found != known.end()) return found->second;
  const auto unknown = [&name] {
    return Error(ErrorCode::invalid_argument,
                 "there is no time zone '" + name.substr(0, kMostName) +
                     "' on this machine: use an IANA name as Europe/Berlin; package tzdata "
                     "has them");
  };
  if (!is_zone_name(name)) throw unknown();
  std::shared_ptr<const Zone> zone;
  try {
    const fs::path file = kDirectory + name;
    if (!fs::is_regular_file(file) || fs::file_size(file) > kMostBytes) throw unknown();
    zone = std::make_shared<const Zone>(parse(read_file(file)));
  } catch (const Error&) {
    throw unknown();
  }
  if (known.size() >= kMostZones) known.clear();
  return known[name] = zone;
}

sys_seconds Zone::when(const Change& change, std::chrono::year year, seconds offset) {
  using namespace std::chrono;
  sys_days day = sys_days(year / January / 1);
  switch (change.kind) {
    case Change::Kind::month_week_day: {
      const auto month_of = year / month(static_cast<unsigned>(change.month));
      const weekday wanted(static_cast<unsigned>(change.day));
      day = change.week == 5 ? sys_days(month_of / wanted[last])
                             : sys_days(month_of / wanted[static_cast<unsigned>(change.week)]);
      break;
    }
    case Change::Kind::day_without_leap:
      day += days(change.day - 1 + (year.is_leap() && change.day >= 60 ? 1 : 0));
      break;
    case Change::Kind::day:
      day += days(change.day);
      break;
  }
  return day + change.time - offset;
}

seconds Zone::by_rule(sys_seconds time) const {
  if (!rule_->summer) return rule_->standard;
  const auto year =
      std::chrono::year_month_day(std::chrono::floor<days>(time + rule_->standard)).year();
  const sys_seconds begin = when(rule_->to_summer, year, rule_->standard);
  const sys_seconds end = when(rule_->to_standard, year, *rule_->summer);
  const bool is_summer = begin < end ? time >= begin && time < end : time >= begin || time < end;
  return is_summer ? *rule_->summer : rule_->standard;
}

seconds Zone::offset_at(sys_seconds time) const {
  const std::int64_t at = time.time_since_epoch().count();
  const auto after = std::ranges::upper_bound(transitions_, at, {}, &Transition::at);
  if (after == transitions_.end() && rule_) return by_rule(time);
  return after == transitions_.begin() ? first_offset_ : std::prev(after)->offset;
}

std::optional<sys_seconds> Zone::first_time(std::chrono::local_seconds local) const {
  const sys_seconds as_utc(local.time_since_epoch());
  std::optional<sys_seconds> first;
  for (const sys_seconds near : {as_utc - days(1), as_utc + days(1)}) {
    const seconds offset = offset_at(near);
    const sys_seconds candidate = as_utc - offset;
    if (offset_at(candidate) == offset && (!first || candidate < *first)) first = candidate;
  }
  return first;
}

}  // namespace andon::base
