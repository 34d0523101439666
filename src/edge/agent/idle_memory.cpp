// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/idle_memory.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error/error.hpp"
#include "base/os/file.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kMaxMapsBytes = 8U << 20U;

struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool is_clean_file = false;
};

std::uintptr_t parse_hex(std::string_view text) {
  std::uintptr_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// "7f01c000-7f01d000 r-xp 00000000 08:01 1234  /usr/lib/libc.so.6"; nothing for a line of details.
std::optional<Mapping> parse_mapping(std::string_view line) {
  const std::size_t dash = line.find('-');
  const std::size_t space = line.find(' ');
  if (dash == line.npos || space == line.npos || dash > space) return std::nullopt;
  const std::string_view rest = line.substr(space + 1);
  const bool is_read_only = rest.starts_with("r-xp ") || rest.starts_with("r--p ");
  return Mapping{parse_hex(line.substr(0, dash)),
                 parse_hex(line.substr(dash + 1, space - dash - 1)),
                 is_read_only && line.find(" /") != line.npos};
}

// Private read-only mappings of files of which no page was ever written: to drop them loses
// nothing. (What the loader has relocated and protected afterwards has written pages: "Anonymous".)
std::vector<Mapping> clean_file_mappings(std::string_view smaps) {
  std::vector<Mapping> found;
  while (!smaps.empty()) {
    const std::string_view line = smaps.substr(0, smaps.find('\n'));
    smaps.remove_prefix(std::min(smaps.size(), line.size() + 1));
    if (const auto mapping = parse_mapping(line)) {
      found.push_back(*mapping);
    } else if (line.starts_with("Anonymous:") && !line.ends_with(" 0 kB") && !found.empty()) {
      found.back().is_clean_file = false;
    }
  }
  std::erase_if(found, [](const Mapping& one) { return !one.is_clean_file; });
  return found;
}

}  // namespace

std::uint64_t give_back_idle_memory() {
  malloc_trim(0);
  std::optional<std::string> smaps;
  try {
    smaps = base::read_file_if_exists("/proc/self/smaps", kMaxMapsBytes);
  } catch (const base::Error&) {
    return 0;  // a system that does not let it look
  }
  std::uint64_t bytes = 0;
  for (const Mapping& one : clean_file_mappings(smaps.value_or(""))) {
    const std::size_t size = one.end - one.begin;
    void* begin = reinterpret_cast<void*>(one.begin);  // NOLINT(performance-no-int-to-ptr)
    if (madvise(begin, size, MADV_DONTNEED) == 0) bytes += size;
  }
  return bytes;
}

}  // namespace andon::edge
