// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/file_tail.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error/error.hpp"

namespace andon::inspect {

FileTail read_tail(const base::fs::path& path) {
  constexpr std::uint64_t kMostBytes = 1U << 20U;
  FileTail tail;
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return tail;
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) {
    throw base::system_error(fmt::format("cannot open {}", path.string()), errno);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  tail.start = size > kMostBytes ? size - kMostBytes : 0;
  tail.content.resize(static_cast<std::size_t>(size - tail.start));
  std::size_t at = 0;
  while (at < tail.content.size()) {
    const ssize_t count = pread(fd.get(), tail.content.data() + at, tail.content.size() - at,
                                static_cast<off_t>(tail.start + at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw base::system_error(fmt::format("cannot read {}", path.string()), errno);
    if (count == 0) break;
    at += static_cast<std::size_t>(count);
  }
  tail.content.resize(at);
  if (tail.start > 0) {  // begin with a whole line
    const std::size_t line = tail.content.find('\n');
    const std::size_t skipped = line == std::string::npos ? tail.content.size() : line + 1;
    tail.content.erase(0, skipped);
    tail.start += skipped;
  }
  return tail;
}

}  // namespace andon::inspect
