// SPDX-License-Identifier: Apache-2.0
#include "control/provisioning/provisioning_templates.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "control/provisioning/template_body.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/provisioning/provisioning_message.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostDescription = 500;
constexpr std::size_t kMostArn = 2048;

void check_template(const ProvisioningTemplate& wanted) {
  if (!fleet::is_template_name(wanted.name)) {
    throw Error(ErrorCode::invalid_argument,
                "templateName: must be 1 to 36 letters, digits, '_' and '-'");
  }
  if (wanted.description.size() > kMostDescription) {
    throw Error(ErrorCode::invalid_argument, "description: has more than 500 bytes");
  }
  if (wanted.role_arn.size() > kMostArn || wanted.hook.function_arn.size() > kMostArn) {
    throw Error(ErrorCode::invalid_argument, "an ARN has more than 2048 bytes");
  }
}

void check_body(const std::string& text) {
  (void)TemplateBody::parse(text);
}

const DocumentVersions kVersions({.owners = "provisioning_templates",
                                  .versions = "provisioning_template_versions",
                                  .key = "name",
                                  .document = "body"});

ProvisioningTemplate read_template(const store::Row& row, std::string arn) {
  return {.name = row.text(0),
          .arn = std::move(arn),
          .description = row.text(1),
          .is_enabled = row.integer(2) != 0,
          .role_arn = row.text(3),
          .hook = {row.text(4), row.text(5)},
          .default_version = row.integer(6),
          .body = {},
          .created = stored_time(row.integer(7)),
          .updated = stored_time(row.integer(8))};
}

constexpr std::string_view kColumns =
    "name, description, is_enabled, role_arn, hook, hook_version, default_version, created_ms, "
    "updated_ms";

[[noreturn]] void no_version(const std::string& name, std::int64_t version) {
  throw Error(ErrorCode::not_found,
              "provisioning template \"" + name + "\" has no version " + std::to_string(version));
}

}  // namespace

ProvisioningTemplates::ProvisioningTemplates(store::Database& database, const base::Clock& clock,
                                             Arns arns)
    : database_(database), clock_(clock), arns_(std::move(arns)) {}

ProvisioningTemplate ProvisioningTemplates::create(const ProvisioningTemplate& wanted) {
  check_template(wanted);
  check_body(wanted.body);
  return database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM provisioning_templates WHERE name = $1", {wanted.name})) {
      throw Error(ErrorCode::already_exists,
                  "provisioning template \"" + wanted.name + "\" exists already");
    }
    if (tx.query_one("SELECT COUNT(*) FROM provisioning_templates")->integer(0) >= kMostTemplates) {
      throw Error(ErrorCode::resource_exhausted, "there are 256 provisioning templates already");
    }
    const base::Timestamp now = clock_.now();
    tx.execute(
        "INSERT INTO provisioning_templates (name, description, is_enabled, role_arn, hook, "
        "hook_version, default_version, last_version, created_ms, updated_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, 1, 1, $7, $7)",
        {wanted.name, wanted.description, std::int64_t{wanted.is_enabled ? 1 : 0}, wanted.role_arn,
         wanted.hook.function_arn, wanted.hook.payload_version, to_stored(now)});
    kVersions.insert_first(tx, wanted.name, wanted.body, now);
    return require(tx, wanted.name);
  });
}

ProvisioningTemplate ProvisioningTemplates::require(store::Transaction& tx,
                                                    const std::string& name) const {
  const auto row = tx.query_one(
      "SELECT " + std::string(kColumns) + " FROM provisioning_templates WHERE name = $1", {name});
  if (!row) {
    throw Error(ErrorCode::not_found, "there is no provisioning template \"" + name + "\"");
  }
  ProvisioningTemplate found = read_template(*row, arn(name));
  const auto version = kVersions.find(tx, name, found.default_version);
  if (!version) no_version(name, found.default_version);
  found.body = version->document;
  return found;
}

ProvisioningTemplate ProvisioningTemplates::require(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) { return require(tx, name); });
}

Page<ProvisioningTemplate> ProvisioningTemplates::list(const PageRequest& page) const {
  Page<ProvisioningTemplate> result;
  database_.read([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT " + std::string(kColumns) +
                      " FROM provisioning_templates WHERE name > $1 ORDER BY name LIMIT $2",
                  {page.after, static_cast<std::int64_t>(page.limit + 1)})) {
      if (result.items.size() == page.limit) {
        result.next = result.items.back().name;
        break;
      }
      result.items.push_back(read_template(row, arn(row.text(0))));
    }
  });
  return result;
}

void ProvisioningTemplates::update(const std::string& name,
                                   const ProvisioningTemplateChange& change) {
  database_.write([&](store::Transaction& tx) {
    ProvisioningTemplate found = require(tx, name);
    if (change.description) found.description = *change.description;
    if (change.is_enabled) found.is_enabled = *change.is_enabled;
    if (change.role_arn) found.role_arn = *change.role_arn;
    if (change.hook) found.hook = *change.hook;
    if (change.default_version) {
      if (!kVersions.find(tx, name, *change.default_version)) {
        no_version(name, *change.default_version);
      }
      found.default_version = *change.default_version;
    }
    check_template(found);
    tx.execute(
        "UPDATE provisioning_templates SET description = $2, is_enabled = $3, role_arn = $4, "
        "hook = $5, hook_version = $6, default_version = $7, updated_ms = $8 WHERE name = $1",
        {name, found.description, std::int64_t{found.is_enabled ? 1 : 0}, found.role_arn,
         found.hook.function_arn, found.hook.payload_version, found.default_version,
         to_stored(clock_.now())});
  });
}

void ProvisioningTemplates::remove(const std::string& name) {
  database_.write([&](store::Transaction& tx) {
    (void)require(tx, name);
    if (kVersions.count(tx, name) > 1) {
      throw Error(ErrorCode::conflict, "provisioning template \"" + name +
                                           "\" has several versions: delete all but the default");
    }
    tx.execute(
        "DELETE FROM certificates WHERE id IN "
        "(SELECT certificate FROM provisioning_claims WHERE template = $1)",
        {name});
    tx.execute("DELETE FROM provisioning_templates WHERE name = $1", {name});
    tx.execute("DELETE FROM tags WHERE arn = $1", {arn(name)});
  });
}

DocumentVersion ProvisioningTemplates::add_version(const std::string& name, const std::string& body,
                                                   VersionStanding standing) {
  check_body(body);
  return database_.write([&](store::Transaction& tx) {
    (void)require(tx, name);
    const auto made = kVersions.add(tx, name, body, standing, clock_.now());
    if (!made) {
      throw Error(ErrorCode::resource_exhausted, "provisioning template \"" + name + "\" has " +
                                                     std::to_string(DocumentVersions::kMost) +
                                                     " versions: delete one first");
    }
    return *made;
  });
}

DocumentVersion ProvisioningTemplates::version(const std::string& name,
                                               std::int64_t version) const {
  return database_.read([&](store::Transaction& tx) {
    (void)require(tx, name);
    const auto found = kVersions.find(tx, name, version);
    if (!found) no_version(name, version);
    return *found;
  });
}

std::vector<DocumentVersion> ProvisioningTemplates::versions(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) {
    (void)require(tx, name);
    return kVersions.all(tx, name);
  });
}

void ProvisioningTemplates::remove_version(const std::string& name, std::int64_t version) {
  database_.write([&](store::Transaction& tx) {
    if (version == require(tx, name).default_version) {
      throw Error(ErrorCode::conflict, "version " + std::to_string(version) +
                                           " is the default one: make another the default first");
    }
    if (!kVersions.remove(tx, name, version)) no_version(name, version);
  });
}

}  // namespace andon::control
