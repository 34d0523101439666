// SPDX-License-Identifier: Apache-2.0
// How events are handled, and permissions.
#include "functions/versions/settings.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "functions/registry/registry.hpp"
#include "functions/registry/schema.hpp"

namespace andon::functions {
namespace {

using base::Error;
using base::ErrorCode;
using store::SqlValue;

constexpr const char* kSelect =
    "SELECT function, qualifier, most_retries, most_age_s, on_success, on_failure, modified_ms "
    "FROM "
    "function_event_configs WHERE ";

EventConfig config_of(const store::Row& row) {
  return {.function = row.text(0),
          .qualifier = row.text(1),
          .most_retries = row.optional_integer(2),
          .most_age_s = row.optional_integer(3),
          .on_success = row.optional_text(4),
          .on_failure = row.optional_text(5),
          .modified = base::from_epoch_millis(row.integer(6))};
}

template <typename Value>
SqlValue or_null(const std::optional<Value>& value) {
  return value ? SqlValue(*value) : SqlValue();
}

std::optional<Permissions> find_permissions(store::Transaction& tx, const FunctionRef& ref) {
  const auto row = tx.query_one(
      "SELECT statements, revision FROM function_policies WHERE function = $1 AND qualifier = $2",
      {ref.name, ref.qualifier});
  if (!row) return std::nullopt;
  return Permissions{base::parse_json(row->text(0), "a function's stored policy").as_array(),
                     row->text(1)};
}

void store_permissions(store::Transaction& tx, const FunctionRef& ref, const json::array& all) {
  if (all.empty()) {
    tx.execute("DELETE FROM function_policies WHERE function = $1 AND qualifier = $2",
               {ref.name, ref.qualifier});
    return;
  }
  const std::string text = base::to_text(all);
  if (text.size() > kMostPolicyBytes) {
    throw Error(ErrorCode::resource_exhausted, "The final policy size (" +
                                                   std::to_string(text.size()) +
                                                   ") is bigger than the limit (20480).");
  }
  tx.execute(
      "INSERT INTO function_policies (function, qualifier, statements, revision) VALUES ($1, $2, "
      "$3, $4) ON CONFLICT (function, qualifier) DO UPDATE SET statements = excluded.statements, "
      "revision = excluded.revision",
      {ref.name, ref.qualifier, text, base::random_uuid()});
}

void check_revision(const std::optional<Permissions>& held, const std::string& revision) {
  if (revision.empty() || (held && held->revision == revision)) return;
  throw Error(
      ErrorCode::failed_precondition,
      "The RevisionId provided does not match the latest RevisionId of the policy. Call the "
      "GetPolicy API to retrieve the latest RevisionId");
}

bool has_id(const json::value& statement, const std::string& id) {
  const auto* sid = statement.as_object().if_contains("Sid");
  return sid != nullptr && sid->is_string() && sid->get_string() == id;
}

}  // namespace

Settings::Settings(store::Database& database, const base::Clock& clock, fleet::Arns arns)
    : database_(database), clock_(clock), arns_(std::move(arns)) {}

void Settings::require(store::Transaction& tx, const std::string& function) const {
  if (!tx.query_one("SELECT 1 FROM functions WHERE name = $1", {function})) {
    throw function_not_found(arns_, function);
  }
}

void Settings::require_version(store::Transaction& tx, const std::string& function,
                               std::int64_t number) const {
  if (tx.query_one("SELECT 1 FROM function_versions WHERE function = $1 AND number = $2",
                   {function, number})) {
    return;
  }
  throw function_not_found(arns_, function, std::to_string(number));
}

void Settings::require_qualifier(store::Transaction& tx, const FunctionRef& ref) const {
  require(tx, ref.name);
  if (ref.qualifier.empty() || ref.qualifier == kLatest) return;
  if (const auto number = parse_version_number(ref.qualifier)) {
    return require_version(tx, ref.name, *number);
  }
  (void)find_alias(tx, ref.name, ref.qualifier);
}

void Settings::store_config(store::Transaction& tx, const EventConfig& config) {
  tx.execute(
      "INSERT INTO function_event_configs (function, qualifier, most_retries, most_age_s, "
      "on_success, on_failure, modified_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT "
      "(function, qualifier) DO UPDATE SET most_retries = excluded.most_retries, most_age_s = "
      "excluded.most_age_s, on_success = excluded.on_success, on_failure = excluded.on_failure, "
      "modified_ms = excluded.modified_ms",
      {config.function, config.qualifier, or_null(config.most_retries), or_null(config.most_age_s),
       or_null(config.on_success), or_null(config.on_failure),
       base::to_epoch_millis(config.modified)});
}

EventConfig Settings::put_event_config(EventConfig config) {
  config.modified = clock_.now();
  database_.write([&](store::Transaction& tx) {
    require_qualifier(tx, {config.function, config.qualifier});
    store_config(tx, config);
  });
  return config;
}

EventConfig Settings::change_event_config(const EventConfig& change) {
  return database_.write([&](store::Transaction& tx) {
    require_qualifier(tx, {change.function, change.qualifier});
    const auto row = tx.query_one(std::string(kSelect) + "function = $1 AND qualifier = $2",
                                  {change.function, change.qualifier});
    EventConfig config = row ? config_of(*row) : change;
    if (change.most_retries) config.most_retries = change.most_retries;
    if (change.most_age_s) config.most_age_s = change.most_age_s;
    if (change.on_success) config.on_success = change.on_success;
    if (change.on_failure) config.on_failure = change.on_failure;
    config.modified = clock_.now();
    store_config(tx, config);
    return config;
  });
}

std::optional<EventConfig> Settings::find_event_config(const std::string& function,
                                                       const std::string& qualifier) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<EventConfig> {
    const auto row = tx.query_one(std::string(kSelect) + "function = $1 AND qualifier = $2",
                                  {function, qualifier});
    if (!row) return std::nullopt;
    return config_of(*row);
  });
}

EventConfig Settings::event_config(const std::string& function,
                                   const std::string& qualifier) const {
  auto found = find_event_config(function, qualifier);
  if (found) return *std::move(found);
  throw Error(ErrorCode::not_found, "The function " + function_arn(arns_, function, qualifier) +
                                        " doesn't have an EventInvokeConfig");
}

EventConfigPage Settings::event_configs(const std::string& function, const std::string& after,
                                        std::size_t limit) const {
  return database_.read([&](store::Transaction& tx) {
    require(tx, function);
    EventConfigPage page;
    for (const store::Row& row : tx.query(
             std::string(kSelect) + "function = $1 AND qualifier > $2 ORDER BY qualifier LIMIT "
                                    "$3",
             {function, after, static_cast<std::int64_t>(limit) + 1})) {
      if (page.configs.size() == limit) {
        page.next = page.configs.back().qualifier;
        break;
      }
      page.configs.push_back(config_of(row));
    }
    return page;
  });
}

void Settings::remove_event_config(const std::string& function, const std::string& qualifier) {
  const auto removed = database_.write([&](store::Transaction& tx) {
    require(tx, function);
    return tx.execute("DELETE FROM function_event_configs WHERE function = $1 AND qualifier = $2",
                      {function, qualifier});
  });
  if (removed == 0) (void)event_config(function, qualifier);
}

void Settings::add_permission(const FunctionRef& ref, const json::object& statement,
                              const std::string& revision) {
  const std::string id(statement.at("Sid").as_string());
  database_.write([&](store::Transaction& tx) {
    require_qualifier(tx, ref);
    const auto held = find_permissions(tx, ref);
    check_revision(held, revision);
    json::array all = held ? held->statements : json::array();
    if (std::ranges::any_of(all, [&](const json::value& one) { return has_id(one, id); })) {
      throw Error(ErrorCode::already_exists,
                  "The statement id (" + id +
                      ") provided already exists. Please provide a new statement id, or remove the "
                      "existing statement.");
    }
    all.push_back(statement);
    store_permissions(tx, ref, all);
  });
}

void Settings::remove_permission(const FunctionRef& ref, const std::string& id,
                                 const std::string& revision) {
  database_.write([&](store::Transaction& tx) {
    require(tx, ref.name);
    const auto held = find_permissions(tx, ref);
    json::array all = held ? held->statements : json::array();
    auto* found =
        std::ranges::find_if(all, [&](const json::value& one) { return has_id(one, id); });
    if (found == all.end()) {
      throw Error(ErrorCode::not_found, "Statement " + id + " is not found in resource policy.");
    }
    check_revision(held, revision);
    all.erase(found);
    store_permissions(tx, ref, all);
  });
}

Permissions Settings::permissions(const FunctionRef& ref) const {
  return database_.read([&](store::Transaction& tx) {
    require_qualifier(tx, ref);
    auto held = find_permissions(tx, ref);
    if (held) return *std::move(held);
    throw Error(ErrorCode::not_found, "The resource you requested does not exist.");
  });
}

}  // namespace andon::functions
