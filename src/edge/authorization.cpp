// SPDX-License-Identifier: Apache-2.0
#include "edge/authorization.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace andon::edge {
namespace {

struct PatternCharacter {
  char character = 0;
  bool any_text = false;  // an unescaped '*'
};

std::vector<PatternCharacter> compile(std::string_view pattern) {
  std::vector<PatternCharacter> compiled;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool escaped = pattern.substr(i, 2) == "${" && i + 3 < pattern.size() &&
                         pattern[i + 3] == '}' &&
                         std::string_view("*?$").find(pattern[i + 2]) != std::string_view::npos;
    if (escaped) {
      compiled.push_back({pattern[i + 2], false});
      i += 3;
    } else if (pattern[i] == '*') {
      if (compiled.empty() || !compiled.back().any_text) compiled.push_back({'*', true});
    } else {
      compiled.push_back({pattern[i], false});
    }
  }
  return compiled;
}

// Linear in practice, quadratic at worst: goes back to the last '*' only.
bool glob_matches(std::string_view pattern, std::string_view text) {
  const std::vector<PatternCharacter> wanted = compile(pattern);
  std::size_t p = 0;
  std::size_t t = 0;
  std::optional<std::size_t> star;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < wanted.size() && wanted[p].any_text) {
      star = p++;
      star_text = t;
    } else if (p < wanted.size() && wanted[p].character == text[t]) {
      ++p;
      ++t;
    } else if (star) {
      p = *star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < wanted.size() && wanted[p].any_text) ++p;
  return p == wanted.size();
}

std::vector<std::string_view> levels_of(std::string_view topic) {
  std::vector<std::string_view> levels;
  for (;;) {
    const std::size_t slash = topic.find('/');
    levels.push_back(topic.substr(0, slash));
    if (slash == std::string_view::npos) return levels;
    topic.remove_prefix(slash + 1);
  }
}

// A filter that is asked for must ask for no more than the policy's: its '+' is covered by '+' and
// '#', its '#' by '#' only.
bool topic_covers(std::string_view pattern, std::string_view asked) {
  const std::vector<std::string_view> wanted = levels_of(pattern);
  const std::vector<std::string_view> levels = levels_of(asked);
  if (asked.starts_with('$') && (wanted.front() == "+" || wanted.front() == "#")) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return i + 1 == wanted.size();
    if (i >= levels.size()) return false;
    if (levels[i] == "#") return false;
    if (wanted[i] == "+") continue;
    if (!glob_matches(wanted[i], levels[i])) return false;
  }
  return wanted.size() == levels.size();
}

bool contains(const json::object& policy, std::string_view key,
              const auto& matches) {
  const json::value* list = policy.if_contains(key);
  const json::array* entries = list == nullptr ? nullptr : list->if_array();
  return entries != nullptr && std::ranges::any_of(*entries, [&](const json::value& entry) {
           const json::string* text = entry.if_string();
           return text != nullptr && matches(std::string_view(*text));
         });
}

}  // namespace

bool resource_matches(std::string_view pattern, std::string_view resource, ResourceForm form) {
  // A plain '*' in the pattern spans levels, as in every other policy.
  if (glob_matches(pattern, resource)) return true;
  return form == ResourceForm::mqtt_topic && topic_covers(pattern, resource);
}

bool is_allowed(const json::value& access_control, const AccessRequest& request) {
  const json::object* services = access_control.if_object();
  const json::value* service = services ? services->if_contains(request.service) : nullptr;
  const json::object* policies = service ? service->if_object() : nullptr;
  if (policies == nullptr) return false;
  return std::ranges::any_of(*policies, [&](const auto& entry) {
    const json::object* policy = entry.value().if_object();
    if (policy == nullptr) return false;
    const bool operation = contains(*policy, "operations", [&](std::string_view allowed) {
      return allowed == "*" || allowed == request.operation;
    });
    return operation && contains(*policy, "resources", [&](std::string_view pattern) {
             return resource_matches(pattern, request.resource, request.form);
           });
  });
}

}  // namespace andon::edge
