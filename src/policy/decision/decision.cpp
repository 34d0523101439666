// SPDX-License-Identifier: Apache-2.0
#include "policy/decision/decision.hpp"

#include <algorithm>
#include <limits>

#include "base/text/ascii.hpp"

namespace andon::policy {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

bool is_about_action(const Statement& statement, const Request& request) {
  const bool is_named = std::ranges::any_of(statement.actions, [&](const Pattern& pattern) {
    return pattern.fit(request.action, request.context) == Fit::yes;
  });
  return is_named != statement.is_not_action;
}

// A variable without a value never makes a statement allow more, or deny less.
bool is_about_resource(const Statement& statement, const Request& request) {
  bool is_named = false;
  bool is_unresolved = false;
  for (const Pattern& pattern : statement.resources) {
    // Not where what does not fit is meant: there a key without a value has its own meaning.
    if (!statement.is_not_resource && !pattern.may_fit(request.resource)) continue;
    const Fit fit = pattern.fit(request.resource, request.context);
    is_named = is_named || fit == Fit::yes;
    is_unresolved = is_unresolved || fit == Fit::unresolved;
  }
  if (!statement.is_not_resource) return is_named;
  if (!is_named && is_unresolved) return statement.effect == Effect::deny;
  return !is_named;
}

bool do_conditions_hold(const Statement& statement, const Request& request) {
  return std::ranges::all_of(statement.conditions, [&](const Condition& condition) {
    return condition.holds(request.context);
  });
}

enum class Standing : std::uint8_t { other, direct, by_account };

Standing standing_of(const PrincipalPattern& pattern, const Asker& asker) {
  using Kind = PrincipalPattern::Kind;
  switch (pattern.kind) {
    case Kind::everybody:
      return Standing::direct;
    case Kind::service:
      return asker.kind == Asker::Kind::service && asker.arn == pattern.text ? Standing::direct
                                                                             : Standing::other;
    case Kind::federated:
      return asker.kind == Asker::Kind::federated && asker.arn == pattern.text ? Standing::direct
                                                                               : Standing::other;
    case Kind::aws:
      break;
  }
  if (asker.kind != Asker::Kind::principal) return Standing::other;
  if (pattern.text == asker.arn || (!asker.role_arn.empty() && pattern.text == asker.role_arn)) {
    return Standing::direct;
  }
  const bool is_account =
      pattern.text == asker.account || pattern.text == "arn:aws:iam::" + asker.account + ":root";
  return is_account ? Standing::by_account : Standing::other;
}

Standing standing_of(const Statement& statement, const Asker& asker) {
  Standing best = Standing::other;
  for (const PrincipalPattern& pattern : statement.principals) {
    const Standing standing = standing_of(pattern, asker);
    if (standing == Standing::direct) best = standing;
    if (standing == Standing::by_account && best == Standing::other) best = standing;
  }
  if (!statement.is_not_principal) return best;
  return best == Standing::other ? Standing::direct : Standing::other;
}

}  // namespace

PolicySet::PolicySet(std::vector<std::shared_ptr<const NamedPolicy>> policies)
    : policies_(std::move(policies)) {
  for (std::uint32_t p = 0; p < policies_.size(); ++p) {
    const auto& statements = policies_[p]->document->statements();
    for (std::uint32_t s = 0; s < statements.size(); ++s) {
      const auto index = static_cast<std::uint32_t>(entries_.size());
      const auto& resources = statements[s].resources;
      const std::string_view literal = resources.size() == 1 && !statements[s].is_not_resource
                                           ? resources.front().longest_literal()
                                           : std::string_view();
      entries_.push_back({.statement = &statements[s],
                          .policy = p,
                          .number = s,
                          .effect = statements[s].effect,
                          .literal_size = static_cast<std::uint32_t>(literal.size()),
                          .literal_at = literals_.size()});
      literals_ += literal;
      if (statements[s].is_not_action) {
        others_.push_back(index);
        continue;
      }
      for (const Pattern& pattern : statements[s].actions) {
        const std::string text = base::to_lower(pattern.text());
        const std::string service = text.substr(0, text.find(':'));
        const bool is_any_service = text == "*" || service.find_first_of("*?") != std::string::npos;
        auto& list = is_any_service            ? others_
                     : pattern.has_wildcards() ? by_service_[service]
                                               : by_action_[text];
        if (list.empty() || list.back() != index) list.push_back(index);
      }
    }
  }
}

void PolicySet::consider(const std::vector<std::uint32_t>& candidates, Named named,
                         const Request& request, First& first) const {
  for (const std::uint32_t index : candidates) {
    const Entry& entry = entries_[index];
    std::uint32_t& of_effect = entry.effect == Effect::deny ? first.deny : first.allow;
    if (of_effect <= index) continue;
    const std::string_view literal =
        std::string_view(literals_).substr(entry.literal_at, entry.literal_size);
    if (request.resource.find(literal) == std::string_view::npos) continue;
    const Statement& candidate = *entry.statement;
    if (is_about_resource(candidate, request) &&
        (named == Named::surely || is_about_action(candidate, request)) &&
        do_conditions_hold(candidate, request)) {
      of_effect = index;
    }
  }
}

Decision PolicySet::decide(const Request& request) const {
  First found{kNone, kNone};
  const std::string action = base::to_lower(request.action);
  const auto look = [&](const auto& map, std::string_view key, Named named) {
    const auto list = map.find(key);
    if (list != map.end()) consider(list->second, named, request, found);
  };
  look(by_action_, action, Named::surely);
  look(by_service_, std::string_view(action).substr(0, action.find(':')), Named::perhaps);
  consider(others_, Named::perhaps, request, found);
  const bool is_denied = found.deny != kNone;
  const std::uint32_t first = is_denied ? found.deny : found.allow;
  if (first == kNone) return {};
  return {.verdict = is_denied ? Verdict::denied_explicitly : Verdict::allowed,
          .policy = policies_[entries_[first].policy],
          .statement = entries_[first].number};
}

ResourceDecision decide(const Document& policy, const Asker& asker, const Request& request) {
  ResourceDecision decision;
  const auto& statements = policy.statements();
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const Statement& statement = statements[i];
    const Standing standing = standing_of(statement, asker);
    if (standing == Standing::other || !is_about_action(statement, request)) continue;
    if (!statement.resources.empty() && !is_about_resource(statement, request)) continue;
    if (!do_conditions_hold(statement, request)) continue;
    if (statement.effect == Effect::deny) {
      return {.verdict = Verdict::denied_explicitly, .statement = i};
    }
    const bool is_delegated = standing == Standing::by_account;
    const bool is_better =
        decision.verdict != Verdict::allowed || (decision.is_delegated && !is_delegated);
    if (is_better) {
      decision = {.verdict = Verdict::allowed, .statement = i, .is_delegated = is_delegated};
    }
  }
  return decision;
}

}  // namespace andon::policy
