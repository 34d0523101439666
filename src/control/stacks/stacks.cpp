// SPDX-License-Identifier: Apache-2.0
#include "control/stacks/stacks.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "base/text/number.hpp"
#include "control/shared/sql_text.hpp"
#include "control/stacks/schema.hpp"

namespace andon::control {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kStackType = "AWS::CloudFormation::Stack";
constexpr std::string_view kColumns =
    "id, name, status, reason, description, template, parameters, tags, capabilities, outputs, "
    "left_out, work, protection, created_ms, updated_ms, deleted_ms, number";
constexpr std::size_t kNumberColumn = 16;
constexpr std::string_view kResourceColumns =
    "logical_id, ordinal, position, type, physical_id, status, reason, properties, attributes, "
    "depends_on, on_removal, generation, updated_ms";

json::value stored_value(const std::string& text) {
  return base::parse_json(text, "a stack's record");
}

std::optional<base::Timestamp> time_of(const std::optional<std::int64_t>& millis) {
  return millis ? std::optional(stored_time(*millis)) : std::nullopt;
}

store::SqlValue sql_of(const std::optional<base::Timestamp>& time) {
  return time ? store::SqlValue(to_stored(*time)) : store::SqlValue();
}

Stack stack_of_row(const store::Row& row) {
  return {.id = row.text(0),
          .name = row.text(1),
          .status = row.text(2),
          .reason = row.text(3),
          .description = row.text(4),
          .template_text = row.text(5),
          .parameters = stored_map(row.text(6)),
          .tags = stored_map(row.text(7)),
          .capabilities = stored_list(row.text(8)),
          .outputs = stored_value(row.text(9)).as_array(),
          .left_out = stored_value(row.text(10)).as_array(),
          .work = stored_value(row.text(11)).as_object(),
          .is_protected = row.integer(12) != 0,
          .created = stored_time(row.integer(13)),
          .updated = time_of(row.optional_integer(14)),
          .deleted = time_of(row.optional_integer(15))};
}

std::vector<store::SqlValue> values_of(const Stack& stack, bool is_gone) {
  return {stack.id,
          stack.name,
          std::int64_t{is_gone ? 1 : 0},
          stack.status,
          stack.reason,
          stack.description,
          stack.template_text,
          to_stored(stack.parameters),
          to_stored(stack.tags),
          to_stored(stack.capabilities),
          base::to_text(stack.outputs),
          base::to_text(stack.left_out),
          base::to_text(stack.work),
          to_stored(stack.created),
          sql_of(stack.updated),
          sql_of(stack.deleted)};
}

StackResource resource_of_row(const store::Row& row) {
  return {.logical_id = row.text(0),
          .ordinal = row.integer(1),
          .position = row.integer(2),
          .type = row.text(3),
          .physical_id = row.text(4),
          .status = row.text(5),
          .reason = row.text(6),
          .properties = stored_value(row.text(7)).as_object(),
          .attributes = stored_value(row.text(8)).as_object(),
          .depends_on = stored_list(row.text(9)),
          .on_removal = row.text(10),
          .generation = row.integer(11),
          .updated = stored_time(row.integer(12))};
}

StackResource as_resource(const Stack& stack) {
  StackResource resource;
  resource.logical_id = stack.name;
  resource.type = kStackType;
  resource.physical_id = stack.id;
  resource.status = stack.status;
  resource.reason = stack.reason;
  return resource;
}

ChangeSet change_set_of_row(const store::Row& row) {
  return {.id = row.text(0),
          .stack_id = row.text(1),
          .name = row.text(2),
          .status = row.text(3),
          .reason = row.text(4),
          .execution = row.text(5),
          .request = stored_value(row.text(6)).as_object(),
          .changes = stored_value(row.text(7)).as_array(),
          .created = stored_time(row.integer(8))};
}

constexpr std::string_view kChangeSetColumns =
    "id, stack_id, name, status, reason, execution, request, changes, created_ms";

}  // namespace

Stacks::Stacks(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock) {
  migrate_stacks(database);
}

std::optional<Stack> Stacks::find(const std::string& name_or_id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<Stack> {
    const bool is_id = name_or_id.starts_with("arn:");
    const auto row = tx.query_one("SELECT " + std::string(kColumns) + " FROM stacks WHERE " +
                                      (is_id ? "id = $1" : "name = $1 AND is_gone = 0"),
                                  {name_or_id});
    return row ? std::optional(stack_of_row(*row)) : std::nullopt;
  });
}

Page<Stack> Stacks::list(const PageRequest& page, bool with_deleted) const {
  return database_.read([&](store::Transaction& tx) {
    Page<Stack> listed;
    const auto before = base::parse_int64(page.after).value_or(INT64_MAX);
    std::int64_t last = 0;
    for (const auto& row :
         tx.query("SELECT " + std::string(kColumns) +
                      " FROM stacks WHERE number < $1 AND is_gone <= $2 ORDER BY number DESC "
                      "LIMIT $3",
                  {before, std::int64_t{with_deleted ? 1 : 0},
                   static_cast<std::int64_t>(page.limit) + 1})) {
      if (listed.items.size() == page.limit) {
        listed.next = std::to_string(last);
        break;
      }
      last = row.integer(kNumberColumn);
      listed.items.push_back(stack_of_row(row));
    }
    return listed;
  });
}

std::optional<Stack> Stacks::next_in_progress() const {
  return database_.read([&](store::Transaction& tx) -> std::optional<Stack> {
    const auto row = tx.query_one(
        "SELECT " + std::string(kColumns) +
        " FROM stacks WHERE is_gone = 0 AND work <> '{}' ORDER BY updated_ms, number LIMIT 1");
    return row ? std::optional(stack_of_row(*row)) : std::nullopt;
  });
}

void Stacks::add(const Stack& stack) {
  database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM stacks WHERE name = $1 AND is_gone = 0", {stack.name})) {
      throw Error(ErrorCode::already_exists, "Stack [" + stack.name + "] already exists");
    }
    if (tx.query_one("SELECT count(*) FROM stacks WHERE is_gone = 0")->integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMost) + " stacks: delete one");
    }
    tx.execute(
        "INSERT INTO stacks (id, name, is_gone, status, reason, description, template, "
        "parameters, tags, capabilities, outputs, left_out, work, created_ms, updated_ms, "
        "deleted_ms, protection) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
        "$14, $15, $16, 0)",
        values_of(stack, false));
    add_event(tx, stack.id, as_resource(stack), {});
  });
}

void Stacks::update(const Stack& stack, const std::string& expected, const std::string& token) {
  database_.write([&](store::Transaction& tx) {
    auto values = values_of(stack, false);
    values.emplace_back(expected);
    const auto changed = tx.execute(
        "UPDATE stacks SET name = $2, is_gone = $3, status = $4, reason = $5, description = $6, "
        "template = $7, parameters = $8, tags = $9, capabilities = $10, outputs = $11, left_out = "
        "$12, work = $13, created_ms = $14, updated_ms = $15, deleted_ms = $16 WHERE id = $1 AND "
        "status = $17 AND is_gone = 0",
        values);
    if (changed == 0) {
      throw Error(ErrorCode::conflict,
                  "Stack [" + stack.name + "] is no longer " + expected + ": look again");
    }
    if (stack.status != expected) add_event(tx, stack.id, as_resource(stack), token);
  });
}

void Stacks::protect(const std::string& id, bool is_protected) {
  database_.write([&](store::Transaction& tx) {
    tx.execute("UPDATE stacks SET protection = $2 WHERE id = $1",
               {id, std::int64_t{is_protected ? 1 : 0}});
  });
}

void Stacks::set_deleted(const Stack& stack, const std::string& token) {
  database_.write([&](store::Transaction& tx) {
    Stack gone = stack;
    gone.status = "DELETE_COMPLETE";
    gone.deleted = clock_.now();
    gone.work = {};
    tx.execute("DELETE FROM stack_exports WHERE stack_id = $1", {stack.id});
    tx.execute("DELETE FROM stack_imports WHERE stack_id = $1", {stack.id});
    tx.execute(
        "UPDATE stacks SET is_gone = 1, status = $2, reason = '', work = '{}', deleted_ms = $3 "
        "WHERE id = $1",
        {stack.id, gone.status, to_stored(*gone.deleted)});
    add_event(tx, stack.id, as_resource(gone), token);
    tx.execute("DELETE FROM stacks WHERE is_gone = 1 AND deleted_ms < $1",
               {to_stored(clock_.now() - kKeepDeleted)});
  });
}

void Stacks::forget(const std::string& id) {
  database_.write(
      [&](store::Transaction& tx) { tx.execute("DELETE FROM stacks WHERE id = $1", {id}); });
}

std::vector<StackResource> Stacks::resources(const std::string& stack_id) const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<StackResource> found;
    for (const auto& row : tx.query("SELECT " + std::string(kResourceColumns) +
                                        " FROM stack_resources WHERE stack_id = $1 ORDER BY "
                                        "position, ordinal",
                                    {stack_id})) {
      found.push_back(resource_of_row(row));
    }
    return found;
  });
}

void Stacks::write_resource(store::Transaction& tx, const std::string& stack_id,
                            const StackResource& resource) const {
  tx.execute(
      "INSERT OR REPLACE INTO stack_resources (stack_id, " + std::string(kResourceColumns) +
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
      {stack_id, resource.logical_id, resource.ordinal, resource.position, resource.type,
       resource.physical_id, resource.status, resource.reason, base::to_text(resource.properties),
       base::to_text(resource.attributes), to_stored(resource.depends_on), resource.on_removal,
       resource.generation, to_stored(clock_.now())});
}

void Stacks::put_resource(const std::string& stack_id, StackResource resource,
                          const std::string& token) {
  database_.write([&](store::Transaction& tx) {
    write_resource(tx, stack_id, resource);
    add_event(tx, stack_id, resource, token);
  });
}

void Stacks::replace_resource(const std::string& stack_id, StackResource resource,
                              const std::string& token) {
  database_.write([&](store::Transaction& tx) {
    const auto last = tx.query_one(
        "SELECT max(ordinal) FROM stack_resources WHERE stack_id = $1 AND "
        "logical_id = $2",
        {stack_id, resource.logical_id});
    tx.execute(
        "UPDATE stack_resources SET ordinal = $3 WHERE stack_id = $1 AND logical_id = $2 AND "
        "ordinal = 0",
        {stack_id, resource.logical_id, last->integer(0) + 1});
    write_resource(tx, stack_id, resource);
    add_event(tx, stack_id, resource, token);
  });
}

void Stacks::remove_resource(const std::string& stack_id, const StackResource& resource,
                             const std::string& status, const std::string& token) {
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "DELETE FROM stack_resources WHERE stack_id = $1 AND logical_id = $2 AND ordinal = $3",
        {stack_id, resource.logical_id, resource.ordinal});
    StackResource gone = resource;
    gone.status = status;
    gone.reason.clear();
    add_event(tx, stack_id, gone, token);
  });
}

std::optional<StackResource> Stacks::find_resource(const std::string& type,
                                                   const std::string& physical_id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<StackResource> {
    const auto row = tx.query_one("SELECT " + std::string(kResourceColumns) +
                                      " FROM stack_resources WHERE physical_id = $1 AND type = $2 "
                                      "AND ordinal = 0 LIMIT 1",
                                  {physical_id, type});
    return row ? std::optional(resource_of_row(*row)) : std::nullopt;
  });
}

std::optional<std::string> Stacks::stack_of(const std::string& physical_id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<std::string> {
    const auto row = tx.query_one(
        "SELECT stack_id FROM stack_resources WHERE physical_id = $1 ORDER BY stack_id LIMIT 1",
        {physical_id});
    return row ? std::optional(row->text(0)) : std::nullopt;
  });
}

void Stacks::add_event(store::Transaction& tx, const std::string& stack_id,
                       const StackResource& resource, const std::string& token) const {
  tx.execute(
      "INSERT INTO stack_events (stack_id, event_id, logical_id, physical_id, type, status, "
      "reason, token, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      {stack_id, base::random_uuid(), resource.logical_id, resource.physical_id, resource.type,
       resource.status, resource.reason, token, to_stored(clock_.now())});
  tx.execute(
      "DELETE FROM stack_events WHERE stack_id = $1 AND number <= (SELECT number FROM "
      "stack_events WHERE stack_id = $1 ORDER BY number DESC LIMIT 1 OFFSET $2)",
      {stack_id, kMostEvents});
}

Page<StackEvent> Stacks::events(const std::string& stack_id, const PageRequest& page) const {
  return database_.read([&](store::Transaction& tx) {
    Page<StackEvent> listed;
    const auto before = base::parse_int64(page.after).value_or(INT64_MAX);
    for (const auto& row : tx.query(
             "SELECT number, event_id, logical_id, physical_id, type, status, reason, token, "
             "at_ms FROM stack_events WHERE stack_id = $1 AND number < $2 ORDER BY number DESC "
             "LIMIT $3",
             {stack_id, before, static_cast<std::int64_t>(page.limit) + 1})) {
      if (listed.items.size() == page.limit) {
        listed.next = std::to_string(listed.items.back().number);
        break;
      }
      listed.items.push_back({.number = row.integer(0),
                              .event_id = row.text(1),
                              .logical_id = row.text(2),
                              .physical_id = row.text(3),
                              .type = row.text(4),
                              .status = row.text(5),
                              .reason = row.text(6),
                              .token = row.text(7),
                              .at = stored_time(row.integer(8))});
    }
    return listed;
  });
}

std::optional<std::string> Stacks::exported(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<std::string> {
    const auto row = tx.query_one("SELECT value FROM stack_exports WHERE name = $1", {name});
    return row ? std::optional(row->text(0)) : std::nullopt;
  });
}

Page<StackExport> Stacks::exports(const PageRequest& page) const {
  return database_.read([&](store::Transaction& tx) {
    Page<StackExport> listed;
    for (const auto& row :
         tx.query("SELECT name, stack_id, value FROM stack_exports WHERE name > $1 ORDER BY name "
                  "LIMIT $2",
                  {page.after, static_cast<std::int64_t>(page.limit) + 1})) {
      if (listed.items.size() == page.limit) {
        listed.next = listed.items.back().name;
        break;
      }
      listed.items.push_back({row.text(0), row.text(1), row.text(2)});
    }
    return listed;
  });
}

std::vector<std::string> Stacks::importers(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<std::string> names;
    for (const auto& row :
         tx.query("SELECT s.name FROM stack_imports i JOIN stacks s ON s.id = i.stack_id WHERE "
                  "i.name = $1 ORDER BY s.name LIMIT 100",
                  {name})) {
      names.push_back(row.text(0));
    }
    return names;
  });
}

void Stacks::set_exports(const std::string& stack_id, const std::vector<StackExport>& exports,
                         const std::vector<std::string>& imports) {
  database_.write([&](store::Transaction& tx) {
    std::map<std::string, std::string> wanted;
    for (const StackExport& one : exports) wanted[one.name] = one.value;
    for (const auto& row :
         tx.query("SELECT e.name, e.value, s.name FROM stack_exports e JOIN stack_imports i ON "
                  "i.name = e.name JOIN stacks s ON s.id = i.stack_id WHERE e.stack_id = $1",
                  {stack_id})) {
      const auto kept = wanted.find(row.text(0));
      if (kept != wanted.end() && kept->second == row.text(1)) continue;
      throw Error(ErrorCode::failed_precondition, "Export " + row.text(0) +
                                                      " cannot be deleted or changed as it is in "
                                                      "use by " +
                                                      row.text(2));
    }
    tx.execute("DELETE FROM stack_exports WHERE stack_id = $1", {stack_id});
    tx.execute("DELETE FROM stack_imports WHERE stack_id = $1", {stack_id});
    for (const auto& [name, value] : wanted) {
      if (tx.query_one("SELECT 1 FROM stack_exports WHERE name = $1", {name})) {
        throw Error(ErrorCode::failed_precondition,
                    "Export with name " + name + " is already exported by another stack");
      }
      tx.execute("INSERT INTO stack_exports (name, stack_id, value) VALUES ($1, $2, $3)",
                 {name, stack_id, value});
    }
    for (const std::string& name : imports) {
      tx.execute("INSERT OR IGNORE INTO stack_imports (name, stack_id) VALUES ($1, $2)",
                 {name, stack_id});
    }
  });
}

std::optional<ChangeSet> Stacks::find_change_set(const std::string& stack_id,
                                                 const std::string& name_or_id) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<ChangeSet> {
    const bool is_id = name_or_id.starts_with("arn:");
    const auto row =
        tx.query_one("SELECT " + std::string(kChangeSetColumns) + " FROM stack_change_sets WHERE " +
                         (is_id ? "id = $1" : "name = $1 AND stack_id = $2"),
                     is_id ? std::vector<store::SqlValue>{name_or_id}
                           : std::vector<store::SqlValue>{name_or_id, stack_id});
    return row ? std::optional(change_set_of_row(*row)) : std::nullopt;
  });
}

std::vector<ChangeSet> Stacks::change_sets(const std::string& stack_id) const {
  return database_.read([&](store::Transaction& tx) {
    std::vector<ChangeSet> found;
    for (const auto& row : tx.query("SELECT " + std::string(kChangeSetColumns) +
                                        " FROM stack_change_sets WHERE stack_id = $1 ORDER BY name",
                                    {stack_id})) {
      found.push_back(change_set_of_row(row));
    }
    return found;
  });
}

void Stacks::put_change_set(const ChangeSet& change_set) {
  database_.write([&](store::Transaction& tx) {
    const bool is_known =
        tx.query_one("SELECT 1 FROM stack_change_sets WHERE id = $1", {change_set.id}).has_value();
    if (!is_known && tx.query_one("SELECT count(*) FROM stack_change_sets WHERE stack_id = $1",
                                  {change_set.stack_id})
                             ->integer(0) >= kMostChangeSets) {
      throw Error(ErrorCode::resource_exhausted,
                  "the stack has " + std::to_string(kMostChangeSets) + " change sets: delete one");
    }
    tx.execute("INSERT OR REPLACE INTO stack_change_sets (" + std::string(kChangeSetColumns) +
                   ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
               {change_set.id, change_set.stack_id, change_set.name, change_set.status,
                change_set.reason, change_set.execution, base::to_text(change_set.request),
                base::to_text(change_set.changes), to_stored(change_set.created)});
  });
}

void Stacks::remove_change_set(const std::string& id) {
  database_.write([&](store::Transaction& tx) {
    tx.execute("DELETE FROM stack_change_sets WHERE id = $1", {id});
  });
}

}  // namespace andon::control
