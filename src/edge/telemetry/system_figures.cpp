// SPDX-License-Identifier: Apache-2.0
#include "edge/telemetry/system_figures.hpp"

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::edge {
namespace {

using fleet::Figure;

constexpr std::size_t kMostBytes = 256U << 10U;
constexpr double kKibInMib = 1024;
constexpr double kPercent = 100;

// A file of one line has the line's end behind its last word.
std::vector<std::string_view> words_of(std::string_view text) {
  return base::split_words(text, " \t\n");
}

std::optional<std::uint64_t> number_at(const std::vector<std::string_view>& words,
                                       std::size_t place) {
  if (place >= words.size()) return std::nullopt;
  return base::parse_integer<std::uint64_t>(words[place]);
}

double mib(std::uintmax_t bytes) {
  return static_cast<double>(bytes) / kKibInMib / kKibInMib;
}

// Counters start anew when an interface does: then nothing is known of the time between.
std::optional<std::uint64_t> since(const std::optional<std::uint64_t>& before,
                                   const std::optional<std::uint64_t>& now) {
  if (!before || !now || *now < *before) return std::nullopt;
  return *now - *before;
}

}  // namespace

std::optional<std::uint64_t> meminfo_kib(std::string_view text, std::string_view name) {
  for (const std::string_view line : base::split(text, '\n')) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() >= 2 && words[0].starts_with(name) && words[0].substr(name.size()) == ":") {
      return base::parse_integer<std::uint64_t>(words[1]);
    }
  }
  return std::nullopt;
}

std::string SystemFigures::text_of(const fs::path& path) const {
  try {
    return base::read_file_if_exists(path, kMostBytes).value_or("");
  } catch (const std::exception&) {  // some are there and may not be read
    return {};
  }
}

void SystemFigures::count_processors(Counted& counted) const {
  // cpu user nice system idle iowait irq softirq steal ...; the guests' are in user already.
  constexpr std::size_t kTimes = 8;
  constexpr std::size_t kIdle = 4;
  constexpr std::size_t kWaiting = 5;
  const std::string text = text_of(places_.proc / "stat");
  const auto words = words_of(std::string_view(text).substr(0, text.find('\n')));
  if (!words.empty() && words[0] == "cpu") {
    std::uint64_t all = 0;
    std::uint64_t idle = 0;
    for (std::size_t i = 1; i <= kTimes; ++i) {
      const std::uint64_t ticks = number_at(words, i).value_or(0);
      all += ticks;
      if (i == kIdle || i == kWaiting) idle += ticks;
    }
    counted.all = all;
    counted.busy = all - idle;
  }
  // What follows the name, which may have blanks: state ppid ... utime stime.
  constexpr std::size_t kUser = 11;
  const std::string own = text_of(places_.proc / "self" / "stat");
  const std::size_t name_end = own.rfind(')');
  if (name_end == std::string::npos) return;
  const auto rest = words_of(std::string_view(own).substr(name_end + 1));
  const auto user = number_at(rest, kUser);
  const auto system = number_at(rest, kUser + 1);
  if (user && system) counted.own = *user + *system;
}

void SystemFigures::count_networks(Counted& counted) const {
  constexpr std::size_t kSent = 8;  // behind the name
  const std::string text = text_of(places_.proc / "net" / "dev");
  for (const std::string_view line : base::split(text, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = words_of(line.substr(0, colon));
    if (name.size() != 1 || name[0] == "lo") continue;
    const auto words = words_of(line.substr(colon + 1));
    const auto received = number_at(words, 0);
    const auto sent = number_at(words, kSent);
    if (!received || !sent) continue;
    counted.received = counted.received.value_or(0) + *received;
    counted.sent = counted.sent.value_or(0) + *sent;
  }
}

void SystemFigures::put_memory(fleet::Figures& figures) const {
  const std::string text = text_of(places_.proc / "meminfo");
  const auto size = meminfo_kib(text, "MemTotal");
  const auto available = meminfo_kib(text, "MemAvailable");
  if (size) at(figures, Figure::memory_size) = static_cast<double>(*size) / kKibInMib;
  if (size && available && *available <= *size) {
    at(figures, Figure::memory_used) = static_cast<double>(*size - *available) / kKibInMib;
  }
  const std::string own = text_of(places_.proc / "self" / "statm");
  if (const auto pages = number_at(words_of(own), 1)) {
    at(figures, Figure::agent_memory) =
        mib(*pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  }
  const std::string files = text_of(places_.proc / "sys" / "fs" / "file-nr");
  if (const auto open = number_at(words_of(files), 0)) {
    at(figures, Figure::open_files) = static_cast<double>(*open);
  }
}

void SystemFigures::put_disk(fleet::Figures& figures) const {
  std::error_code unknown;
  const fs::space_info space = fs::space(places_.disk, unknown);
  if (unknown || space.capacity == 0) return;
  at(figures, Figure::disk_free) = mib(space.available);
  at(figures, Figure::disk_size) = mib(space.capacity);
}

void SystemFigures::put_temperature(fleet::Figures& figures) const {
  constexpr int kMostZones = 64;
  constexpr double kMilli = 1000;
  constexpr double kColdest = -60;  // a sensor that is not there says -273, or 0 K
  constexpr double kHottest = 200;
  for (int zone = 0; zone < kMostZones; ++zone) {
    const std::string text = text_of(places_.sys / "class" / "thermal" /
                                     ("thermal_zone" + std::to_string(zone)) / "temp");
    const auto words = words_of(text);
    if (words.empty()) continue;
    const auto milli = base::parse_int64(std::string(words[0]));
    if (!milli) continue;
    const double celsius = static_cast<double>(*milli) / kMilli;
    if (celsius < kColdest || celsius > kHottest) continue;
    auto& hottest = at(figures, Figure::temperature);
    hottest = std::max(hottest.value_or(celsius), celsius);
  }
}

fleet::Figures SystemFigures::read(std::chrono::steady_clock::time_point now) {
  fleet::Figures figures{};
  Counted counted{.at = now};
  count_processors(counted);
  count_networks(counted);
  if (before_) {
    const auto busy = since(before_->busy, counted.busy);
    const auto all = since(before_->all, counted.all);
    if (busy && all && *all > 0) {
      at(figures, Figure::cpu_percent) =
          kPercent * static_cast<double>(*busy) / static_cast<double>(*all);
    }
    const double seconds = std::chrono::duration<double>(now - before_->at).count();
    const auto own = since(before_->own, counted.own);
    if (own && seconds > 0) {
      at(figures, Figure::agent_cpu) = kPercent * static_cast<double>(*own) /
                                       static_cast<double>(sysconf(_SC_CLK_TCK)) / seconds;
    }
    const auto sent = since(before_->sent, counted.sent);
    if (sent && seconds > 0) at(figures, Figure::sent) = static_cast<double>(*sent) / seconds;
    const auto received = since(before_->received, counted.received);
    if (received && seconds > 0) {
      at(figures, Figure::received) = static_cast<double>(*received) / seconds;
    }
  }
  before_ = counted;
  put_memory(figures);
  put_disk(figures);
  put_temperature(figures);
  return figures;
}

}  // namespace andon::edge
