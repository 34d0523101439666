// SPDX-License-Identifier: Apache-2.0
#include "base/os/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <thread>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::base {
namespace {

// More than any kernel has.
constexpr int kMostCores = 1 << 16;

std::optional<std::int64_t> leading_number(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("-0123456789"), text.size());
  const auto number = parse_int64(text.substr(0, end));
  if (number) text.remove_prefix(end);
  return number;
}

std::string read_if_possible(const fs::path& file) {
  try {
    return read_file_if_exists(file).value_or("");
  } catch (const Error&) {
    return {};
  }
}

std::optional<int> whole_cores(std::optional<std::int64_t> quota,
                               std::optional<std::int64_t> period) {
  if (!quota || !period || *quota < 1 || *period < 1) return std::nullopt;
  return static_cast<int>(std::min<std::int64_t>((*quota + *period - 1) / *period, kMostCores));
}

// "150000 100000", or "max 100000" for none.
std::optional<int> quota_of_v2(const fs::path& folder) {
  const std::string content = read_if_possible(folder / "cpu.max");
  std::string_view text = content;
  const auto quota = leading_number(text);
  if (!quota || text.empty()) return std::nullopt;
  text.remove_prefix(1);
  return whole_cores(quota, leading_number(text));
}

// -1 for none.
std::optional<int> quota_of_v1(const fs::path& folder) {
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
    if (take_part(controllers, ',') == wanted) return true;
  }
  return false;
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

std::optional<int> quota_cores(const fs::path& root, std::string_view membership) {
  std::optional<int> lowest;
  while (!membership.empty()) {
    const std::string_view line = take_part(membership, '\n');
    // number:controllers:/path; version 2 has no controllers
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && !lists(controllers, "cpu")) continue;
    const fs::path top = is_v2 ? root : root / "cpu";
    fs::path below = fs::path(line.substr(second + 1)).relative_path();
    // In a container the path may be the host's: then only the top is there.
    while (true) {
      const fs::path folder = below.empty() ? top : top / below;
      take_lower(lowest, is_v2 ? quota_of_v2(folder) : quota_of_v1(folder));
      if (below.empty()) break;
      below = below.parent_path();
    }
  }
  return lowest;
}

}  // namespace andon::base
