// SPDX-License-Identifier: Apache-2.0
#include "edge/state/unfinished_files.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

namespace andon::edge {
namespace {

constexpr std::string_view kMark = ".tmp-";
constexpr std::size_t kDrawn = 8;

bool is_unfinished(const std::string& name) {
  const std::size_t tail = kMark.size() + kDrawn;
  return name.size() > tail && name.compare(name.size() - tail, kMark.size(), kMark) == 0 &&
         std::all_of(name.end() - kDrawn, name.end(), [](char one) {
           return (one >= 'a' && one <= 'z') || (one >= '0' && one <= '9');
         });
}

}  // namespace

void remove_unfinished_files(const base::fs::path& directory) {
  std::error_code ignored;
  std::vector<base::fs::path> found;
  for (const auto& entry : base::fs::directory_iterator(directory, ignored)) {
    if (is_unfinished(entry.path().filename().string())) found.push_back(entry.path());
  }
  for (const base::fs::path& path : found) base::fs::remove(path, ignored);
}

}  // namespace andon::edge
