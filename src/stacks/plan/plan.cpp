// SPDX-License-Identifier: Apache-2.0
#include "stacks/plan/plan.hpp"

#include <algorithm>
#include <set>

#include "base/error/error.hpp"

namespace andon::stacks {
namespace {

class Sorting {
 public:
  Sorting(const std::vector<std::string>& ids,
          const std::map<std::string, std::vector<std::string>>& dependencies)
      : known_(ids.begin(), ids.end()), dependencies_(dependencies) {
    for (const std::string& id : ids) visit(id);
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(sorted_); }

 private:
  void visit(const std::string& id) {
    if (done_.contains(id)) return;
    const auto open = std::ranges::find(path_, id);
    if (open != path_.end()) {
      std::string circle;
      for (auto one = open; one != path_.end(); ++one) circle += *one + " -> ";
      throw base::Error(base::ErrorCode::invalid_argument,
                        "Resources: " + circle + id + " depend on each other in a circle");
    }
    path_.push_back(id);
    if (const auto found = dependencies_.find(id); found != dependencies_.end()) {
      for (const std::string& other : found->second) {
        if (known_.contains(other)) visit(other);
      }
    }
    path_.pop_back();
    done_.insert(id);
    sorted_.push_back(id);
  }

  const std::set<std::string> known_;
  const std::map<std::string, std::vector<std::string>>& dependencies_;
  std::vector<std::string> path_;
  std::set<std::string> done_;
  std::vector<std::string> sorted_;
};

void compare(const json::value* before, const json::value* after, const std::string& place,
             std::vector<Difference>& found) {
  if (found.size() >= kMostDifferences) return;
  const auto below = [&place](std::string_view name) {
    return place.empty() ? std::string(name) : place + "." + std::string(name);
  };
  if (before != nullptr && after != nullptr) {
    if (is_same(*before, *after)) return;
    if (before->is_object() && after->is_object()) {
      const json::object& left = before->get_object();
      const json::object& right = after->get_object();
      for (const auto& [key, value] : left) {
        compare(&value, right.if_contains(key), below(key), found);
      }
      for (const auto& [key, value] : right) {
        if (!left.contains(key)) compare(nullptr, &value, below(key), found);
      }
      return;
    }
    if (before->is_array() && after->is_array()) {
      const json::array& left = before->get_array();
      const json::array& right = after->get_array();
      for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
        compare(i < left.size() ? &left[i] : nullptr, i < right.size() ? &right[i] : nullptr,
                below(std::to_string(i)), found);
      }
      return;
    }
  }
  Difference difference{place, {}, {}};
  if (before != nullptr) difference.before = *before;
  if (after != nullptr) difference.after = *after;
  found.push_back(std::move(difference));
}

}  // namespace

std::vector<std::string> in_order(
    const std::vector<std::string>& ids,
    const std::map<std::string, std::vector<std::string>>& dependencies) {
  return Sorting(ids, dependencies).take();
}

std::vector<Difference> differences(const json::object& before, const json::object& after) {
  std::vector<Difference> found;
  const json::value left(before);
  const json::value right(after);
  compare(&left, &right, "", found);
  return found;
}

bool is_same(const json::value& left, const json::value& right) {
  return left == right;  // objects compare without order
}

}  // namespace andon::stacks
