// SPDX-License-Identifier: Apache-2.0
// CreateTopicRule, GetTopicRule, ListTopicRules, ReplaceTopicRule, DeleteTopicRule,
// EnableTopicRule and DisableTopicRule of AWS IoT. Rows for the operation table; all that is
// referred to must outlive them.
#pragma once

#include <functional>
#include <vector>

#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "events/rules/types.hpp"
#include "events/topicrules/topic_rules.hpp"

namespace andon::api {

struct TopicRuleParts {
  events::TopicRules& rules;
  const events::EventArns& arns;
  const Authorizer* authorizer = nullptr;
  std::function<void()> changed;  // there are other rules than before
};
[[nodiscard]] std::vector<Operation> topic_rule_operations(const TopicRuleParts& parts);

}  // namespace andon::api
