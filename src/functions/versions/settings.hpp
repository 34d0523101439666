// SPDX-License-Identifier: Apache-2.0
// Room: versions. What is set for versions of functions: aliases, how asynchronous events are
// handled, and permissions of resources' policies. Each call is one transaction; any thread. Errors
// are base::Error in AWS's words.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fleet/names/arn.hpp"
#include "functions/registry/names.hpp"
#include "functions/registry/types.hpp"
#include "store/sql/database.hpp"

namespace andon::functions {

struct AliasPage {
  std::vector<Alias> aliases;
  std::optional<std::string> next;
};
struct EventConfigPage {
  std::vector<EventConfig> configs;
  std::optional<std::string> next;
};

class Settings {
 public:
  // The registry's tables must be there.
  Settings(store::Database& database, const base::Clock& clock, fleet::Arns arns);

  Alias create_alias(Alias alias);
  struct AliasChange {
    std::optional<std::int64_t> version;
    std::optional<std::string> description;
    bool changes_routing = false;
    std::optional<std::int64_t> other_version;
    double other_weight = 0;
    std::string revision;  // empty, or the latest one
  };
  Alias change_alias(const std::string& function, const std::string& name,
                     const AliasChange& change);
  [[nodiscard]] Alias alias(const std::string& function, const std::string& name) const;
  // Of one version where one is given.
  [[nodiscard]] AliasPage aliases(const std::string& function, std::optional<std::int64_t> version,
                                  const std::string& after, std::size_t limit) const;
  void remove_alias(const std::string& function, const std::string& name);

  // Replaces it; the members that are absent are unset.
  EventConfig put_event_config(EventConfig config);
  // Only the members that are there.
  EventConfig change_event_config(const EventConfig& change);
  [[nodiscard]] std::optional<EventConfig> find_event_config(const std::string& function,
                                                             const std::string& qualifier) const;
  [[nodiscard]] EventConfig event_config(const std::string& function,
                                         const std::string& qualifier) const;  // not_found
  [[nodiscard]] EventConfigPage event_configs(const std::string& function, const std::string& after,
                                              std::size_t limit) const;
  void remove_event_config(const std::string& function, const std::string& qualifier);

  // `statement` has its Sid. already_exists for one that is there.
  void add_permission(const FunctionRef& ref, const json::object& statement,
                      const std::string& revision);
  void remove_permission(const FunctionRef& ref, const std::string& id,
                         const std::string& revision);
  [[nodiscard]] Permissions permissions(const FunctionRef& ref) const;  // not_found

 private:
  void require(store::Transaction& tx, const std::string& function) const;
  void require_version(store::Transaction& tx, const std::string& function,
                       std::int64_t number) const;
  void require_qualifier(store::Transaction& tx, const FunctionRef& ref) const;
  [[nodiscard]] Alias find_alias(store::Transaction& tx, const std::string& function,
                                 const std::string& name) const;
  static void store_config(store::Transaction& tx, const EventConfig& config);

  store::Database& database_;
  const base::Clock& clock_;
  const fleet::Arns arns_;
};

}  // namespace andon::functions
