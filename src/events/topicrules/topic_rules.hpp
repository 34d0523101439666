// SPDX-License-Identifier: Apache-2.0
// Room: topicrules. Rules on MQTT topics, as AWS IoT has them: which messages, what of them
// (query/rulesql), and where that goes.
//
// The rules that there are. Any thread; each call is one transaction. Errors are base::Error:
// not_found, already_exists, resource_exhausted, and the SQL's own.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::events {

namespace json = base::json;

struct TopicRule {
  std::string name;
  std::string sql;
  std::string description;
  std::string sql_version;    // as it was given
  json::array actions;        // as CreateTopicRule has them
  json::object error_action;  // empty: none
  bool is_disabled = false;
  base::Timestamp created;
};

class TopicRules {
 public:
  static constexpr std::int64_t kMost = 1000;
  static constexpr std::size_t kMostActions = 10;

  // Brings the schema up to date.
  TopicRules(store::Database& database, const base::Clock& clock);

  void create(TopicRule rule);
  // Keeps its age.
  void replace(TopicRule rule);
  [[nodiscard]] std::optional<TopicRule> find(const std::string& name) const;
  void enable(const std::string& name, bool is_enabled);
  // One that is not there is deleted already.
  void remove(const std::string& name);
  // By name, after `after`.
  [[nodiscard]] std::vector<TopicRule> list(const std::string& after, std::size_t limit) const;

  // Rises with each change: what was worked out before is old then.
  [[nodiscard]] std::uint64_t revision() const { return revision_.load(); }

 private:
  store::Database& database_;
  const base::Clock& clock_;
  std::atomic<std::uint64_t> revision_{1};
};

// 1 to 128 of [a-zA-Z0-9_].
[[nodiscard]] bool is_topic_rule_name(std::string_view name);

}  // namespace andon::events
