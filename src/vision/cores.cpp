// SPDX-License-Identifier: Apache-2.0
#include "vision/cores.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <thread>
#include <utility>

#include "base/error.hpp"

namespace andon::vision {

using base::Error;
using base::ErrorCode;

namespace {

// More than any kernel has.
constexpr int kMostCores = 1 << 16;

std::optional<std::int64_t> leading_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return number;
}

std::string read_if_possible(const base::fs::path& file) {
  try {
    return base::read_file_if_exists(file).value_or("");
  } catch (const base::Error&) {
    return {};
  }
}

std::optional<int> whole_cores(std::optional<std::int64_t> quota,
                               std::optional<std::int64_t> period) {
  if (!quota || !period || *quota < 1 || *period < 1) return std::nullopt;
  return static_cast<int>(std::min<std::int64_t>((*quota + *period - 1) / *period, kMostCores));
}

// "150000 100000", or "max 100000" for none.
std::optional<int> quota_of_v2(const base::fs::path& folder) {
  const std::string content = read_if_possible(folder / "cpu.max");
  std::string_view text = content;
  const auto quota = leading_number(text);
  if (!quota || text.empty()) return std::nullopt;
  text.remove_prefix(1);
  return whole_cores(quota, leading_number(text));
}

// -1 for none.
std::optional<int> quota_of_v1(const base::fs::path& folder) {
  const std::string quota = read_if_possible(folder / "cpu.cfs_quota_us");
  const std::string period = read_if_possible(folder / "cpu.cfs_period_us");
  std::string_view quota_text = quota;
  std::string_view period_text = period;
  return whole_cores(leading_number(quota_text), leading_number(period_text));
}

void take_lower(std::optional<int>& lowest, std::optional<int> other) {
  if (other && (!lowest || *other < *lowest)) lowest = other;
}

bool lists(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const std::size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == wanted) return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

Error no_core_list(std::string_view text) {
  return Error(ErrorCode::invalid_argument,
               fmt::format("'{}' is no list of cores; write numbers and ranges with commas between "
                           "them, as in 0,2-3",
                           text));
}

}  // namespace

std::vector<int> allowed_cores() {
  // As many words as the kernel wants; it says so by an error.
  for (std::size_t sets = 1; sets <= kMostCores / CPU_SETSIZE; sets *= 2) {
    std::vector<cpu_set_t> mask(sets);
    const std::size_t bytes = sets * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) != 0) continue;
    std::vector<int> cores;
    for (std::size_t core = 0; core < 8 * bytes; ++core) {
      if (CPU_ISSET_S(core, bytes, mask.data())) cores.push_back(static_cast<int>(core));
    }
    return cores;
  }
  std::vector<int> all(std::max(1U, std::thread::hardware_concurrency()));
  for (std::size_t core = 0; core < all.size(); ++core) all[core] = static_cast<int>(core);
  return all;
}

int usable_cores() {
  const int allowed = static_cast<int>(allowed_cores().size());
  const auto quota = quota_cores("/sys/fs/cgroup", read_if_possible("/proc/self/cgroup"));
  return std::max(1, std::min(allowed, quota.value_or(allowed)));
}

std::optional<int> quota_cores(const base::fs::path& root, std::string_view membership) {
  std::optional<int> lowest;
  while (!membership.empty()) {
    const std::size_t end = std::min(membership.find('\n'), membership.size());
    const std::string_view line = membership.substr(0, end);
    membership.remove_prefix(std::min(end + 1, membership.size()));
    // number:controllers:/path; version 2 has no controllers
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && !lists(controllers, "cpu")) continue;
    const base::fs::path top = is_v2 ? root : root / "cpu";
    base::fs::path below = base::fs::path(line.substr(second + 1)).relative_path();
    // In a container the path may be the host's: then only the top is there.
    while (true) {
      const base::fs::path folder = below.empty() ? top : top / below;
      take_lower(lowest, is_v2 ? quota_of_v2(folder) : quota_of_v1(folder));
      if (below.empty()) break;
      below = below.parent_path();
    }
  }
  return lowest;
}

std::vector<int> parse_core_list(std::string_view text) {
  std::vector<int> cores;
  std::string_view rest = text;
  while (true) {
    const auto first = leading_number(rest);
    auto last = first;
    if (first && rest.starts_with('-')) {
      rest.remove_prefix(1);
      last = leading_number(rest);
    }
    if (!first || !last || *first < 0 || *last < *first || *last >= kMostCores) {
      throw no_core_list(text);
    }
    for (auto core = static_cast<int>(*first); core <= *last; ++core) cores.push_back(core);
    if (rest.empty()) break;
    if (!rest.starts_with(',')) throw no_core_list(text);
    rest.remove_prefix(1);
  }
  std::vector<int> sorted = cores;
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
    throw Error(ErrorCode::invalid_argument, fmt::format("'{}' names core {} twice", text, *twice));
  }
  return cores;
}

std::string core_list(std::span<const int> cores) {
  std::string text;
  for (std::size_t i = 0; i < cores.size();) {
    std::size_t last = i;
    while (last + 1 < cores.size() && cores[last + 1] == cores[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += last == i ? fmt::format("{}", cores[i]) : fmt::format("{}-{}", cores[i], cores[last]);
    i = last + 1;
  }
  return text;
}

void check_cores(std::span<const int> cores, std::span<const int> allowed) {
  for (const int core : cores) {
    if (std::find(allowed.begin(), allowed.end(), core) != allowed.end()) continue;
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("core {} may not be used by this process; {} may", core, core_list(allowed)));
  }
}

void keep_on_core(pthread_t thread, int core) {
  const auto index = static_cast<std::size_t>(core);
  std::vector<cpu_set_t> mask(index / CPU_SETSIZE + 1);
  const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
  CPU_SET_S(index, bytes, mask.data());
  if (const int error = pthread_setaffinity_np(thread, bytes, mask.data()); error != 0) {
    throw base::system_error(fmt::format("cannot keep a thread on core {}", core), error);
  }
}

}  // namespace andon::vision
