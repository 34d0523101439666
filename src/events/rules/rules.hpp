// SPDX-License-Identifier: Apache-2.0
// Room: rules. Buses, their rules and the rules' targets: which events go where, and as what.
//
// Any thread; each call is one transaction. Errors are base::Error in EventBridge's words:
// not_found, already_exists, failed_precondition, resource_exhausted, invalid_argument.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/rules/types.hpp"
#include "store/sql/database.hpp"

namespace andon::events {

class Rules {
 public:
  static constexpr std::int64_t kMostBuses = 100;
  static constexpr std::int64_t kMostRules = 300;  // of a bus
  static constexpr std::int64_t kMostTargets = 5;  // of a rule

  // Brings the schema up to date; there is a default bus then.
  Rules(store::Database& database, const base::Clock& clock);

  Bus create_bus(const std::string& name, const std::string& description);
  Bus update_bus(const std::string& name, const std::optional<std::string>& description);
  [[nodiscard]] Bus bus(const std::string& name) const;
  void delete_bus(const std::string& name);
  // Lists are by name, after `after`, at most `limit`.
  [[nodiscard]] std::vector<Bus> buses(const std::string& prefix, const std::string& after,
                                       std::size_t limit) const;

  // A rule that is there keeps its targets and its age. Throws for a pattern or a schedule that is
  // none.
  void put(Rule rule);
  [[nodiscard]] Rule rule(const std::string& bus, const std::string& name) const;
  [[nodiscard]] std::vector<Rule> rules(const std::string& bus, const std::string& prefix,
                                        const std::string& after, std::size_t limit) const;
  void enable(const std::string& bus, const std::string& name, bool is_enabled);
  // One that is not there is deleted already.
  void remove(const std::string& bus, const std::string& name);

  // A target with an id that the rule has takes its place.
  void put_targets(const std::string& bus, const std::string& rule,
                   const std::vector<json::object>& targets);
  // Answers which ids were not there.
  std::vector<std::string> remove_targets(const std::string& bus, const std::string& rule,
                                          const std::vector<std::string>& ids);
  [[nodiscard]] std::vector<json::object> targets(const std::string& bus, const std::string& rule,
                                                  const std::string& after,
                                                  std::size_t limit) const;
  [[nodiscard]] std::vector<std::string> rule_names_by_target(const std::string& arn,
                                                              const std::string& bus,
                                                              const std::string& after,
                                                              std::size_t limit) const;

  // Rises with each change: what was worked out before is old then.
  [[nodiscard]] std::uint64_t revision() const { return revision_.load(); }

  // Within the caller's transaction: enabled rules of a bus with a pattern; the targets of one.
  [[nodiscard]] static std::vector<Rule> enabled(store::Transaction& tx, const std::string& bus);
  [[nodiscard]] static std::vector<json::object> targets(store::Transaction& tx,
                                                         const std::string& bus,
                                                         const std::string& rule);
  // The rules whose schedules were due by `now`, each with when; their next runs are noted.
  struct DueRule {
    Rule rule;
    base::Timestamp due;
  };
  [[nodiscard]] static std::vector<DueRule> take_due(store::Transaction& tx, base::Timestamp now,
                                                     std::size_t limit);
  [[nodiscard]] static std::optional<base::Timestamp> next_due(store::Transaction& tx);

 private:
  void changed() { revision_.fetch_add(1); }

  store::Database& database_;
  const base::Clock& clock_;
  std::atomic<std::uint64_t> revision_{1};
};

}  // namespace andon::events
