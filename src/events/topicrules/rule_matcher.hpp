// SPDX-License-Identifier: Apache-2.0
// What the enabled rules make of a message: a delivery for each action of each rule that takes it.
// Of one thread; compiled anew where rules have changed.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "events/delivery/delivery.hpp"
#include "events/topicrules/topic_rules.hpp"
#include "query/rulesql/rule_sql.hpp"

namespace andon::events {

class EventArns;

// A delivery's target: what an action is called, its texts filled in ("Action"), what takes it
// where it fails for good ("ErrorTarget"), what that is told beside ("ErrorContext"), and through
// how many rules it has come ("Hops"), this one among them.
class RuleMatcher {
 public:
  RuleMatcher(const TopicRules& rules, const EventArns& arns) : rules_(rules), arns_(arns) {}

  struct Message {
    std::string filter;  // under which it came: only rules with this one are asked
    std::string topic;
    std::string payload;
    base::Timestamp time;
    int hops = 0;  // rules that it has come through, each of which published it anew
  };
  // A message that has come through so many is of a circle: no rule takes it any more.
  static constexpr int kMostHops = 16;
  struct Found {
    std::vector<Delivery> deliveries;
    // Rules that could make nothing of the message, each with the reason.
    std::vector<std::pair<std::string, std::string>> failures;
    std::size_t bytes = 0;  // of the deliveries
  };
  [[nodiscard]] Found match(const Message& message);

  // Topic filters of the enabled rules, each once.
  [[nodiscard]] std::vector<std::string> filters();

 private:
  struct Text {
    std::vector<std::string> path;  // in the action
    query::RuleText text;
  };
  struct Action {
    json::object action;  // of one member
    std::vector<Text> texts;
  };
  struct Rule {
    std::string name;
    query::RuleSql sql;
    std::vector<Action> actions;
    std::vector<Action> error_action;  // none or one
  };
  void compile();
  [[nodiscard]] static Action compiled(const json::object& action);
  void apply(const Rule& rule, const query::RuleMessage& message, int hops, Found& found) const;
  [[nodiscard]] json::object target_of(const Action& action, const std::string& id,
                                       const query::RuleMessage& message) const;

  const TopicRules& rules_;
  const EventArns& arns_;
  std::uint64_t revision_ = 0;
  std::vector<Rule> compiled_;
};

// What receives an action, for people and for the limit of those under way: an ARN, or a URL.
[[nodiscard]] std::string action_target(const json::object& action, const EventArns& arns);

// Throws invalid_argument naming the member where a text with ${...} in the action is none.
void check_action_texts(const json::object& action);

}  // namespace andon::events
