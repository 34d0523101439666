// SPDX-License-Identifier: Apache-2.0
#include "rights/topic_filter.hpp"

#include <cstddef>

namespace andon::rights {
namespace {

// The levels of a filter, one after the other.
class Levels {
 public:
  explicit Levels(std::string_view text) : rest_(text) { next(); }

  [[nodiscard]] bool has_ended() const { return has_ended_; }
  [[nodiscard]] std::string_view level() const { return level_; }
  void next() {
    has_ended_ = is_last_;
    if (has_ended_) return;
    const std::size_t slash = rest_.find('/');
    is_last_ = slash == std::string_view::npos;
    level_ = rest_.substr(0, slash);
    if (!is_last_) rest_.remove_prefix(slash + 1);
  }

 private:
  std::string_view rest_;
  std::string_view level_;
  bool is_last_ = false;
  bool has_ended_ = false;
};

}  // namespace

bool covers(std::string_view right, std::string_view filter) {
  if (right.empty() || filter.empty()) return false;
  if (filter.front() == '$' && right.front() != '$') return false;
  Levels wanted(filter);
  for (Levels allowed(right); !allowed.has_ended(); allowed.next(), wanted.next()) {
    // "a/#" matches "a" as well.
    if (allowed.level() == "#") return true;
    if (wanted.has_ended() || wanted.level() == "#") return false;
    if (allowed.level() != "+" && allowed.level() != wanted.level()) return false;
    if (allowed.level() != "+" && wanted.level() == "+") return false;
  }
  return wanted.has_ended();
}

bool may_meet(std::string_view one, std::string_view other) {
  if (one.empty() || other.empty()) return false;
  const auto is_wild = [](char c) { return c == '+' || c == '#'; };
  if (one.front() == '$' && is_wild(other.front())) return false;
  if (other.front() == '$' && is_wild(one.front())) return false;
  Levels left(one);
  Levels right(other);
  for (; !left.has_ended() && !right.has_ended(); left.next(), right.next()) {
    if (left.level() == "#" || right.level() == "#") return true;
    const bool fits = left.level() == "+" || right.level() == "+" || left.level() == right.level();
    if (!fits) return false;
  }
  // "a/#" matches "a" as well.
  const bool left_is_over = left.has_ended() || left.level() == "#";
  const bool right_is_over = right.has_ended() || right.level() == "#";
  return left_is_over && right_is_over;
}

std::string_view without_share(std::string_view filter) {
  constexpr std::string_view kShare = "$share/";
  if (!filter.starts_with(kShare)) return filter;
  const std::size_t slash = filter.find('/', kShare.size());
  return slash == std::string_view::npos ? std::string_view{} : filter.substr(slash + 1);
}

}  // namespace andon::rights
