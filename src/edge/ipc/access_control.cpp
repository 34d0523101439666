// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/access_control.hpp"

#include <algorithm>

#include "recipe/reader/member_reader.hpp"

namespace andon::edge {
namespace {

struct Token {
  enum class Kind { character, any_text, one_level, all_levels } kind = Kind::character;
  char character = '\0';
};

// Whether `position` of `text` starts a level that is exactly `symbol`.
bool is_level(std::string_view text, std::size_t position, char symbol) {
  return text[position] == symbol && (position == 0 || text[position - 1] == '/') &&
         (position + 1 == text.size() || text[position + 1] == '/');
}

std::vector<Token> tokens_of(std::string_view policy, ResourceForm form) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    const bool escape = policy.size() - i >= 4 && policy.substr(i, 2) == "${" &&
                        policy[i + 3] == '}' &&
                        std::string_view("*?$").find(policy[i + 2]) != std::string_view::npos;
    if (escape) {
      tokens.push_back({Token::Kind::character, policy[i + 2]});
      i += 3;
    } else if (policy[i] == '*') {
      tokens.push_back({Token::Kind::any_text});
    } else if (form == ResourceForm::mqtt && is_level(policy, i, '+')) {
      tokens.push_back({Token::Kind::one_level});
    } else if (form == ResourceForm::mqtt && i + 1 == policy.size() && is_level(policy, i, '#')) {
      tokens.push_back({Token::Kind::all_levels});
    } else {
      tokens.push_back({Token::Kind::character, policy[i]});
    }
  }
  return tokens;
}

}  // namespace

// One row of reachable positions for each token, so the time is at most tokens times characters.
bool resource_matches(std::string_view policy, std::string_view resource, ResourceForm form) {
  const auto tokens = tokens_of(policy, form);
  std::vector<bool> reached(resource.size() + 1);
  reached[0] = true;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto& token = tokens[t];
    // "a/#" also covers "a".
    const bool last_slash = token.kind == Token::Kind::character && token.character == '/' &&
                            t + 2 == tokens.size() && tokens[t + 1].kind == Token::Kind::all_levels;
    if (last_slash && reached[resource.size()]) return true;
    std::vector<bool> next(resource.size() + 1);
    for (std::size_t at = 0; at <= resource.size(); ++at) {
      if (!reached[at]) continue;
      switch (token.kind) {
        case Token::Kind::character:
          if (at < resource.size() && resource[at] == token.character) next[at + 1] = true;
          break;
        case Token::Kind::any_text:
        case Token::Kind::all_levels:
          std::fill(next.begin() + static_cast<std::ptrdiff_t>(at), next.end(), true);
          break;
        case Token::Kind::one_level: {
          const auto end = std::min(resource.find('/', at), resource.size());
          // A filter that asks for all levels asks for more than one.
          if (resource.substr(at, end - at) != "#") next[end] = true;
          break;
        }
      }
    }
    reached = std::move(next);
  }
  return reached[resource.size()];
}

AccessControl::AccessControl(const json::value& value, recipe::Problems& problems) {
  if (value.is_null()) return;
  const auto* services = value.if_object();
  if (services == nullptr) {
    problems.push_back({"", "must be an object"});
    return;
  }
  for (const auto& service : *services) {
    const auto place = base::join_pointer({std::string(service.key())});
    const auto* policies = service.value().if_object();
    if (policies == nullptr) {
      problems.push_back({place, "must be an object"});
      continue;
    }
    for (const auto& member : *policies) {
      const auto before = problems.size();
      const recipe::MemberReader reader(
          member.value(), place + base::join_pointer({std::string(member.key())}), problems);
      Policy policy{service.key(), reader.strings("operations"), reader.strings("resources")};
      if (problems.size() == before) policies_.push_back(std::move(policy));
    }
  }
}

bool AccessControl::allows(std::string_view service, std::string_view operation,
                           std::string_view resource) const {
  const auto form = service == kMqttProxyService ? ResourceForm::mqtt : ResourceForm::plain;
  return std::any_of(policies_.begin(), policies_.end(), [&](const Policy& policy) {
    return policy.service == service &&
           std::any_of(policy.operations.begin(), policy.operations.end(),
                       [&](const std::string& o) { return o == "*" || o == operation; }) &&
           std::any_of(policy.resources.begin(), policy.resources.end(),
                       [&](const std::string& r) { return resource_matches(r, resource, form); });
  });
}

}  // namespace andon::edge
