// SPDX-License-Identifier: Apache-2.0
#include "functions/sandboxes/output_lines.hpp"

#include <algorithm>
#include <utility>

#include "base/text/utf8.hpp"
#include "functions/sandboxes/plan.hpp"

namespace andon::functions {
namespace {

constexpr std::size_t kLongestLine = 65'536;  // a longer one becomes several

}  // namespace

void OutputLines::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = kLongestLine - rest_.size();
    const std::size_t count = std::min({end, room, bytes.size()});
    rest_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
    if (end == count) bytes.remove_prefix(1);
    if (end == count || rest_.size() >= kLongestLine) give(std::exchange(rest_, {}));
  }
}

void OutputLines::add_line(const std::string& line) {
  end_line();
  give(line);
}

void OutputLines::end_line() {
  if (!rest_.empty()) give(std::exchange(rest_, {}));
}

std::string OutputLines::tail() const {
  return tail_.substr(tail_.size() - std::min(tail_.size(), kMostTail));
}

void OutputLines::give(std::string line) {
  line = base::to_valid_utf8(line);
  tail_ += line + "\n";
  if (tail_.size() > 2 * kMostTail) tail_ = tail();
  if (!line.empty()) write_(std::move(line));
}

}  // namespace andon::functions
