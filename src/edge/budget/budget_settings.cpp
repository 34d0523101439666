// SPDX-License-Identifier: Apache-2.0
#include "edge/budget/budget_settings.hpp"

#include <algorithm>

#include "base/json/json_reader.hpp"
#include "base/json/problem_texts.hpp"
#include "base/text/number.hpp"

namespace andon::edge {
namespace {

constexpr int kMinutesOfDay = 24 * 60;
constexpr std::size_t kMostWindows = 16;
constexpr std::size_t kMostNames = 16;
// Below that a connection is given up as hanging before its first bytes are through.
constexpr std::int64_t kLeastRate = 1024;
constexpr std::int64_t kLeastVolume = 64 << 10;
constexpr std::int64_t kMost = std::int64_t{1} << 50;

// "HH:MM", 00:00 to 24:00; -1: anything else, which is a problem.
int read_minute(const base::JsonReader& reader, std::string_view key) {
  const std::string text = reader.string(key);
  if (text.size() == 5 && text[2] == ':') {
    const auto hour = base::parse_integer<int>(text.substr(0, 2), 0, 24);
    const auto minute = base::parse_integer<int>(text.substr(3), 0, 59);
    if (hour && minute && *hour * 60 + *minute <= kMinutesOfDay) return *hour * 60 + *minute;
  }
  reader.problem(key, "must be a time of the day as 22:00");
  return -1;
}

std::vector<LinkUse> read_uses(const base::JsonReader& reader, std::string_view key) {
  std::vector<LinkUse> uses;
  for (const std::string& name : reader.strings(key, kMostNames)) {
    const auto* const found = std::ranges::find(kLinkUseNames, name);
    if (found == kLinkUseNames.end()) {
      reader.problem(key, "has \"" + name.substr(0, 100) +
                              "\", but must be of downloads, uploads, exports and logs");
      continue;
    }
    const auto use = static_cast<LinkUse>(found - kLinkUseNames.begin());
    if (std::ranges::find(uses, use) == uses.end()) uses.push_back(use);
  }
  return uses;
}

// Those that are named first, in their order, then the others.
std::array<LinkUse, kLinkUses> read_order(const base::JsonReader& reader) {
  std::vector<LinkUse> order = read_uses(reader, "priority");
  for (const LinkUse use : BudgetSettings{}.order) {
    if (std::ranges::find(order, use) == order.end()) order.push_back(use);
  }
  std::array<LinkUse, kLinkUses> result{};
  std::ranges::copy(order, result.begin());
  return result;
}

std::vector<LinkWindow> read_windows(const base::JsonReader& reader) {
  std::vector<LinkWindow> windows;
  for (const base::JsonReader& one : reader.children("windows")) {
    one.allow_only({"uses", "from", "to"});
    if (windows.size() == kMostWindows) {
      reader.problem("windows", "has more than " + std::to_string(kMostWindows));
      break;
    }
    LinkWindow window{read_minute(one, "from"), read_minute(one, "to"), {}};
    if (window.from < 0 || window.to < 0) continue;
    if (!one.has("uses")) window.uses.fill(true);
    for (const LinkUse use : read_uses(one, "uses")) {
      window.uses[static_cast<std::size_t>(use)] = true;
    }
    windows.push_back(window);
  }
  return windows;
}

}  // namespace

bool LinkWindow::holds(int minute) const {
  if (from < to) return from <= minute && minute < to;
  return minute >= from || minute < to;
}

int BudgetSettings::minutes_closed(LinkUse use, int minute) const {
  bool has_window = false;
  int least = kMinutesOfDay;
  for (const LinkWindow& window : windows) {
    if (!window.uses[static_cast<std::size_t>(use)]) continue;
    has_window = true;
    if (window.holds(minute)) return 0;
    const int until = (window.from - minute + kMinutesOfDay) % kMinutesOfDay;
    least = std::min(least, until == 0 ? kMinutesOfDay : until);
  }
  return has_window ? least : 0;
}

ReadBudgetSettings read_budget_settings(const base::json::object* nucleus) {
  ReadBudgetSettings read;
  if (nucleus == nullptr || !nucleus->contains("andonLinkBudget")) return read;
  std::vector<base::JsonProblem> problems;
  const base::JsonReading reading{.texts = base::JsonReading::Texts::as_values,
                                  .problems = &problems};
  const base::JsonReader reader =
      base::JsonReader(*nucleus, "", reading).child_or_empty("andonLinkBudget");
  reader.allow_only({"bytesPerSecond", "bytesPerHour", "bytesPerDay", "priority", "windows"});
  const auto limit = [&](std::string_view key, std::int64_t least) -> std::uint64_t {
    const auto given = reader.optional_integer(key, 0, kMost);
    if (!given || *given == 0) return 0;
    if (*given >= least) return static_cast<std::uint64_t>(*given);
    reader.problem(key, "must be 0 (no limit) or at least " + std::to_string(least));
    return 0;
  };
  read.settings.bytes_per_second = limit("bytesPerSecond", kLeastRate);
  read.settings.bytes_per_hour = limit("bytesPerHour", kLeastVolume);
  read.settings.bytes_per_day = limit("bytesPerDay", kLeastVolume);
  read.settings.order = read_order(reader);
  read.settings.windows = read_windows(reader);
  read.problems = base::problem_texts(problems);
  return read;
}

std::string minute_text(int minute) {
  const auto two = [](int number) {
    return std::string(number < 10 ? "0" : "") + std::to_string(number);
  };
  return two(minute / 60) + ':' + two(minute % 60);
}

}  // namespace andon::edge
