// SPDX-License-Identifier: Apache-2.0
// Goes through a directory that a stranger has filled, and may still be filling: no link is
// followed, and depth and count are bounded. Blocking; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/os/file.hpp"

namespace andon::base {

struct TreeLimits {
  std::size_t max_depth = 64;
  std::uint64_t max_entries = 100'000;
};

struct TreeEntry {
  enum class Kind : std::uint8_t { file, directory, link };
  std::string path;  // below the top: "a/b"
  Kind kind = Kind::file;
  unsigned mode = 0;
  std::int64_t modified_s = 0;
  std::uint64_t size = 0;   // of a file, when it was opened
  int fd = -1;              // of a file, open for reading while it is looked at
  std::string target = {};  // of a link
};

// Each entry below `top`, sorted by name in each directory, a directory before what is in it. What
// is neither file, directory nor link (sockets, pipes) is left out, and what vanishes meanwhile.
// Throws resource_exhausted beyond the limits, and what `visit` throws.
void walk_tree(int top, const TreeLimits& limits,
               const std::function<void(const TreeEntry&)>& visit);

// What lies as `name` ("a/b/c") below a directory, through no symbolic link and not out of it; with
// O_CLOEXEC added. Nothing, and errno, where that cannot be opened or is no such name. openat2(2),
// which can do this at once, is forbidden to services whose unit says RestrictSUIDSGID=.
[[nodiscard]] UniqueFd open_beneath(const fs::path& directory, std::string_view name, int flags);

}  // namespace andon::base
