// SPDX-License-Identifier: Apache-2.0
#include "policy/language/context.hpp"

#include <algorithm>

#include "base/text/ascii.hpp"

namespace andon::policy {

void Context::set(std::string_view key, std::vector<std::string> values) {
  std::string lowered = base::to_lower(key);
  const auto found = std::ranges::find(
      entries_, lowered, [](const auto& entry) -> const std::string& { return entry.first; });
  if (found != entries_.end()) entries_.erase(found);
  if (!values.empty()) entries_.emplace_back(std::move(lowered), std::move(values));
}

void Context::set(std::string_view key, std::string value) {
  std::vector<std::string> values;
  values.push_back(std::move(value));
  set(key, std::move(values));
}

void Context::add(const Context& other) {
  for (const auto& [key, values] : other.entries_) set(key, values);
}

const std::vector<std::string>* Context::find(std::string_view lowered) const {
  for (const auto& [key, values] : entries_) {
    if (key == lowered) return &values;
  }
  return nullptr;
}

}  // namespace andon::policy
