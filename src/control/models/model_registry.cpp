// SPDX-License-Identifier: Apache-2.0
#include "control/models/model_registry.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "control/models/model_aliases.hpp"
#include "control/models/model_data.hpp"
#include "control/models/model_decisions.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/own_events.hpp"
#include "control/shared/request_tokens.hpp"
#include "control/shared/schema.hpp"
#include "control/shared/sql_text.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

constexpr std::size_t kMaxNameBytes = 63;
constexpr std::size_t kMaxCustomerMetadata = 50;
constexpr std::size_t kMaxContentBytes = 4U << 20U;
constexpr std::string_view kCreateOperation = "CreateModelPackage";

const std::vector<store::Migration> kMigrations = {{"model registry", R"(
CREATE TABLE model_package_group (
  name TEXT PRIMARY KEY,
  description TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  last_version INTEGER NOT NULL);
CREATE TABLE model_package (
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  content TEXT NOT NULL,
  approval TEXT NOT NULL,
  approval_description TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  modified_ms INTEGER,
  PRIMARY KEY (name, version));
CREATE TABLE model_package_data (
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  url TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  FOREIGN KEY (name, version) REFERENCES model_package (name, version) ON DELETE CASCADE);
CREATE INDEX model_package_data_by_package ON model_package_data (name, version);
)"},
                                                   {"lists by age", R"(
CREATE INDEX model_package_group_by_age ON model_package_group (created_ms, name);
CREATE INDEX model_package_by_age ON model_package (created_ms, name, version);
)"},
                                                   {"who", R"(
ALTER TABLE model_package ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE model_package ADD COLUMN modified_by TEXT NOT NULL DEFAULT '';
)"}};

constexpr std::string_view kGroupColumns = "name, description, created_ms";
constexpr std::string_view kPackageColumns =
    "name, version, content, approval, approval_description, created_ms, modified_ms, created_by, "
    "modified_by";

// [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}
void check_name(const std::string& name) {
  const bool valid = name.size() <= kMaxNameBytes && base::is_name_of(name, "-") &&
                     name.front() != '-' && name.back() != '-';
  if (!valid) {
    throw Error(ErrorCode::invalid_argument,
                "'" + name.substr(0, 80) +
                    "' is not a name: it must be 1 to 63 letters, digits and hyphens, with a "
                    "letter or digit at both ends");
  }
}

std::string describe(const ModelPackageId& id) {
  return "model package " + id.name + (id.is_versioned() ? "/" + std::to_string(id.version) : "");
}

ModelPackageGroup read_group(const store::Row& row) {
  return {.name = row.text(0), .description = row.text(1), .created = stored_time(row.integer(2))};
}

ModelPackage read_package(const store::Row& row) {
  ModelPackage package{
      .id = {row.text(0), row.integer(1)},
      .content = stored_object(row.text(2)),
      .approval = parse_approval_status(row.text(3)).value_or(ApprovalStatus::pending),
      .approval_description = row.text(4),
      .created = stored_time(row.integer(5))};
  if (const auto modified = row.optional_integer(6)) package.modified = stored_time(*modified);
  package.created_by = row.text(7);
  package.modified_by = row.text(8);
  return package;
}

std::optional<ModelPackage> find(store::Transaction& tx, const ModelPackageId& id) {
  const auto row = tx.query_one("SELECT " + std::string(kPackageColumns) +
                                    " FROM model_package WHERE name = $1 AND version = $2",
                                {id.name, id.version});
  if (!row) return std::nullopt;
  return read_package(*row);
}

std::string content_text(const json::object& content) {
  std::string text = base::to_text(content);
  if (text.size() > kMaxContentBytes) {
    throw Error(ErrorCode::invalid_argument, "the model package's description is larger than " +
                                                 std::to_string(kMaxContentBytes) + " bytes");
  }
  return text;
}

void write_model_data(store::Transaction& tx, const ModelPackageId& id,
                      const std::vector<ModelData>& data) {
  tx.execute("DELETE FROM model_package_data WHERE name = $1 AND version = $2",
             {id.name, id.version});
  for (const ModelData& model : data) {
    tx.execute(
        "INSERT INTO model_package_data (name, version, url, sha256, size, etag) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        {id.name, id.version, model.url, model.sha256, static_cast<std::int64_t>(model.size),
         model.etag});
  }
}

// Left out of an event where it is larger: events have bounds.
constexpr std::size_t kMostInEvent = 200'000;

// For the event bus: a version that is new, or that is approved or rejected now.
void tell_bus(store::Transaction& tx, const ModelPackage& package, const std::string& content,
              base::Timestamp now) {
  json::object payload{{"approval", to_string(package.approval)},
                       {"approvalDescription", package.approval_description},
                       {"created", to_stored(package.created)},
                       {"modified", to_stored(now)}};
  if (content.size() <= kMostInEvent) payload["content"] = package.content;
  Outbox::append(tx, kModelEvent, package.id.name + "/" + std::to_string(package.id.version), now,
                 base::to_text(payload));
}

std::int64_t take_version(store::Transaction& tx, const NewModelPackage& package) {
  if (package.kind != PackageKind::versioned) {
    if (find(tx, {package.name, 0})) {
      throw Error(ErrorCode::already_exists, "there is already a model package " + package.name);
    }
    return 0;
  }
  const auto row =
      tx.query_one("SELECT last_version FROM model_package_group WHERE name = $1", {package.name});
  if (!row) {
    throw Error(ErrorCode::not_found, "there is no model package group " + package.name +
                                          ": create it with CreateModelPackageGroup");
  }
  // Counted in the group, so that the number of a deleted version never comes back.
  const std::int64_t version = row->integer(0) + 1;
  tx.execute("UPDATE model_package_group SET last_version = $2 WHERE name = $1",
             {package.name, version});
  return version;
}

std::optional<RequestToken> token_of(const NewModelPackage& package) {
  if (!package.client_token) return std::nullopt;
  check_client_token(*package.client_token);
  const std::string request = package.name + "\n" + std::string(to_string(package.approval)) +
                              "\n" + base::to_text(package.content);
  return RequestToken{kCreateOperation, *package.client_token, trust::sha256_hex(request)};
}

void change_customer_metadata(json::object& content, const ModelPackageChange& change) {
  if (change.added_customer_metadata.empty() && change.removed_customer_metadata.empty()) return;
  json::value& member = content["CustomerMetadataProperties"];
  if (!member.is_object()) member = json::object();
  json::object& metadata = member.get_object();
  for (const std::string& key : change.removed_customer_metadata) metadata.erase(key);
  for (const auto& [key, value] : change.added_customer_metadata) metadata[key] = value;
  if (metadata.size() > kMaxCustomerMetadata) {
    throw Error(ErrorCode::invalid_argument,
                "CustomerMetadataProperties: at most 50 properties are kept");
  }
  if (metadata.empty()) content.erase("CustomerMetadataProperties");
}

void add_specifications(json::object& content, const json::array& added) {
  if (added.empty()) return;
  json::value& member = content["AdditionalInferenceSpecifications"];
  if (!member.is_array()) member = json::array();
  for (const json::value& specification : added) member.get_array().push_back(specification);
}

void add_common_conditions(store::PagedQuery& query, const RegistryFilter& filter) {
  if (filter.created_after) {
    query.add_condition("created_ms > $", to_stored(*filter.created_after));
  }
  if (filter.created_before) {
    query.add_condition("created_ms < $", to_stored(*filter.created_before));
  }
  if (!filter.name_contains.empty()) {
    query.add_condition("instr(name, $", filter.name_contains, ") > 0");
  }
}

}  // namespace

std::string_view to_string(ApprovalStatus status) {
  switch (status) {
    case ApprovalStatus::approved:
      return "Approved";
    case ApprovalStatus::rejected:
      return "Rejected";
    case ApprovalStatus::pending:
      break;
  }
  return "PendingManualApproval";
}

std::optional<ApprovalStatus> parse_approval_status(std::string_view text) {
  for (const ApprovalStatus status :
       {ApprovalStatus::pending, ApprovalStatus::approved, ApprovalStatus::rejected}) {
    if (to_string(status) == text) return status;
  }
  return std::nullopt;
}

ModelRegistry::ModelRegistry(store::Database& database, const store::ObjectStore& objects,
                             const base::Clock& clock)
    : database_(database), objects_(objects), clock_(clock), tags_(database) {
  migrate_schema(database_);  // for the request tokens
  database_.migrate("model_registry", kMigrations);
  migrate_model_decisions(database_);
  migrate_model_aliases(database_);
}

void ModelRegistry::create_group(const std::string& name, const std::string& description) {
  check_name(name);
  database_.write([&](store::Transaction& tx) {
    const auto inserted = tx.execute(
        "INSERT INTO model_package_group (name, description, created_ms, last_version) "
        "VALUES ($1, $2, $3, 0) ON CONFLICT (name) DO NOTHING",
        {name, description, to_stored(clock_.now())});
    if (inserted == 0) {
      throw Error(ErrorCode::already_exists, "there is already a model package group " + name);
    }
  });
}

std::optional<ModelPackageGroup> ModelRegistry::find_group(const std::string& name) const {
  std::optional<ModelPackageGroup> group;
  database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one(
        "SELECT " + std::string(kGroupColumns) + " FROM model_package_group WHERE name = $1",
        {name});
    if (row) group = read_group(*row);
  });
  return group;
}

Page<ModelPackageGroup> ModelRegistry::list_groups(const RegistryFilter& filter,
                                                   const PageRequest& page) const {
  const bool is_by_name = filter.sort == RegistrySort::by_name;
  store::PagedQuery query(kGroupColumns, "model_package_group",
                          is_by_name ? std::vector<std::string>{"name"}
                                     : std::vector<std::string>{"created_ms", "name"},
                          filter.order, page.limit, page.after);
  add_common_conditions(query, filter);
  Page<ModelPackageGroup> result;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row : tx.query(query.sql(), query.values())) {
      if (result.items.size() == page.limit) {
        const ModelPackageGroup& last = result.items.back();
        json::array key;
        if (!is_by_name) key.emplace_back(to_stored(last.created));
        key.emplace_back(last.name);
        result.next = store::PagedQuery::page_key(key);
        return;
      }
      result.items.push_back(read_group(row));
    }
  });
  return result;
}

void ModelRegistry::delete_group(const std::string& name) {
  database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM model_package WHERE name = $1 AND version > 0 LIMIT 1",
                     {name})) {
      throw Error(ErrorCode::conflict,
                  "model package group " + name + " still has packages: delete them first");
    }
    if (tx.execute("DELETE FROM model_package_group WHERE name = $1", {name}) == 0) {
      throw Error(ErrorCode::not_found, "there is no model package group " + name);
    }
  });
}

ModelPackage ModelRegistry::create_package(const NewModelPackage& package) {
  check_name(package.name);
  const auto token = token_of(package);
  ModelPackage made{.content = package.content,
                    .approval = package.approval,
                    .created = clock_.now(),
                    .created_by = package.by};
  const std::vector<ModelData> data = pin_model_data(made.content, objects_);
  const std::string content = content_text(made.content);
  database_.write([&](store::Transaction& tx) {
    if (token) {
      if (const auto version = find_result(tx, *token, made.created)) {
        auto before = find(tx, {package.name, std::stoll(*version)});
        if (!before) {
          throw Error(ErrorCode::conflict,
                      "the model package that this ClientToken made has been deleted");
        }
        made = *std::move(before);
        return;
      }
    }
    made.id = {package.name, take_version(tx, package)};
    tx.execute(
        "INSERT INTO model_package (name, version, content, approval, approval_description, "
        "created_ms, created_by) VALUES ($1, $2, $3, $4, '', $5, $6)",
        {made.id.name, made.id.version, content, std::string(to_string(made.approval)),
         to_stored(made.created), made.created_by});
    if (made.approval != ApprovalStatus::pending) {
      add_decision(tx, made.id,
                   {.approval = made.approval, .by = package.by, .time = made.created});
    }
    write_model_data(tx, made.id, data);
    tell_bus(tx, made, content, made.created);
    if (token) remember_result(tx, *token, std::to_string(made.id.version), made.created);
  });
  return made;
}

std::optional<ModelPackage> ModelRegistry::find_package(const ModelPackageId& id) const {
  return database_.read([&](store::Transaction& tx) { return find(tx, id); });
}

std::vector<ModelData> ModelRegistry::model_data(const ModelPackageId& id) const {
  std::vector<ModelData> data;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row : tx.query("SELECT url, sha256, size, etag FROM model_package_data "
                                          "WHERE name = $1 AND version = $2 ORDER BY url",
                                          {id.name, id.version})) {
      data.push_back({.url = row.text(0),
                      .sha256 = row.text(1),
                      .size = static_cast<std::uint64_t>(row.integer(2)),
                      .etag = row.text(3)});
    }
  });
  return data;
}

Page<ModelPackage> ModelRegistry::list_packages(const RegistryFilter& filter,
                                                const PageRequest& page) const {
  const bool is_by_name = filter.sort == RegistrySort::by_name;
  store::PagedQuery query(kPackageColumns, "model_package",
                          is_by_name ? std::vector<std::string>{"name", "version"}
                                     : std::vector<std::string>{"created_ms", "name", "version"},
                          filter.order, page.limit, page.after);
  add_common_conditions(query, filter);
  if (filter.group) query.add_condition("version > 0 AND name = $", *filter.group);
  if (filter.approval) {
    query.add_condition("approval = $", std::string(to_string(*filter.approval)));
  }
  if (filter.kind == PackageKind::versioned) query.add_condition("version > $", std::int64_t{0});
  if (filter.kind == PackageKind::unversioned) query.add_condition("version = $", std::int64_t{0});
  Page<ModelPackage> result;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row : tx.query(query.sql(), query.values())) {
      if (result.items.size() == page.limit) {
        const ModelPackage& last = result.items.back();
        json::array key;
        if (!is_by_name) key.emplace_back(to_stored(last.created));
        key.emplace_back(last.id.name);
        key.emplace_back(last.id.version);
        result.next = store::PagedQuery::page_key(key);
        return;
      }
      result.items.push_back(read_package(row));
    }
  });
  return result;
}

void ModelRegistry::update_package(const ModelPackageId& id, const ModelPackageChange& change) {
  const bool has_new_containers = change.replaced_content.contains("InferenceSpecification") ||
                                  !change.added_inference_specifications.empty();
  database_.write([&](store::Transaction& tx) {
    auto package = find(tx, id);
    if (!package) throw Error(ErrorCode::not_found, "there is no " + describe(id));
    for (const auto& [name, value] : change.replaced_content) package->content[name] = value;
    change_customer_metadata(package->content, change);
    add_specifications(package->content, change.added_inference_specifications);
    const bool is_decided = change.approval && *change.approval != package->approval;
    if (change.approval) package->approval = *change.approval;
    if (change.approval_description) package->approval_description = *change.approval_description;
    if (has_new_containers) write_model_data(tx, id, pin_model_data(package->content, objects_));
    const std::string content = content_text(package->content);
    const base::Timestamp now = clock_.now();
    if (is_decided) tell_bus(tx, *package, content, now);
    if (change.approval) {
      add_decision(tx, id,
                   {.approval = *change.approval,
                    .by = change.by,
                    .reason = change.approval_description.value_or(std::string()),
                    .time = now});
    }
    tx.execute(
        "UPDATE model_package SET content = $3, approval = $4, approval_description = $5, "
        "modified_ms = $6, modified_by = $7 WHERE name = $1 AND version = $2",
        {id.name, id.version, content, std::string(to_string(package->approval)),
         package->approval_description, to_stored(now), change.by});
  });
}

std::vector<ModelDecision> ModelRegistry::decisions(const ModelPackageId& id) const {
  return database_.read([&](store::Transaction& tx) { return decisions_of(tx, id); });
}

void ModelRegistry::delete_package(const ModelPackageId& id) {
  database_.write([&](store::Transaction& tx) {
    require_no_alias(tx, id.name, id.version);
    if (tx.execute("DELETE FROM model_package WHERE name = $1 AND version = $2",
                   {id.name, id.version}) == 0) {
      throw Error(ErrorCode::not_found, "there is no " + describe(id));
    }
  });
}

}  // namespace andon::control
