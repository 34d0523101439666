// SPDX-License-Identifier: Apache-2.0
#include "control/iam/policies.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "control/iam/ready_made.hpp"
#include "control/shared/sql_text.hpp"
#include "control/shared/tags.hpp"
#include "policy/language/document.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::Transaction;

constexpr std::string_view kColumns =
    "p.arn, p.id, p.name, p.path, p.description, p.default_version, p.created_ms, p.updated_ms, "
    "(SELECT count(*) FROM iam_attachments a WHERE a.policy_arn = p.arn)";
const DocumentVersions kVersions({.owners = "iam_policies",
                                  .versions = "iam_policy_versions",
                                  .key = "arn",
                                  .document = "document"});
constexpr std::size_t kMostPolicyName = 128;
constexpr std::size_t kMostDescription = 1000;
constexpr std::int64_t kReadyMadeOn = 1'796'000'000'000;  // 2026-11-30

void check_document(const std::string& document) {
  (void)policy::Document::parse(document, policy::DocumentKind::identity);
}

ManagedPolicy read(const Row& row) {
  return {.arn = row.text(0),
          .id = row.text(1),
          .name = row.text(2),
          .path = row.text(3),
          .description = row.text(4),
          .default_version = row.integer(5),
          .attachments = row.integer(8),
          .created = stored_time(row.integer(6)),
          .updated = stored_time(row.integer(7))};
}

ManagedPolicy as_policy(Transaction& tx, const ReadyMade& ready) {
  const auto count =
      tx.query_one("SELECT count(*) FROM iam_attachments WHERE policy_arn = $1", {ready.arn()});
  return {.arn = ready.arn(),
          .id = "ANPAANDON" + std::string(ready.policy),
          .name = std::string(ready.policy),
          .path = "/",
          .description = std::string(ready.description),
          .attachments = count->integer(0),
          .created = stored_time(kReadyMadeOn),
          .updated = stored_time(kReadyMadeOn),
          .is_ready_made = true};
}

ManagedPolicy require(Transaction& tx, const std::string& arn) {
  if (const ReadyMade* ready = find_ready_made(arn)) return as_policy(tx, *ready);
  const auto row = tx.query_one(
      "SELECT " + std::string(kColumns) + " FROM iam_policies p WHERE p.arn = $1", {arn});
  if (!row) {
    throw Error(ErrorCode::not_found,
                "Policy " + arn.substr(0, 2048) + " does not exist or is not attachable.");
  }
  return read(*row);
}

// One that may be changed.
ManagedPolicy require_own(Transaction& tx, const std::string& arn) {
  ManagedPolicy policy = require(tx, arn);
  if (policy.is_ready_made) {
    throw Error(ErrorCode::permission_denied, arn + " is part of andon and cannot be changed");
  }
  return policy;
}

DocumentVersion ready_version(const ReadyMade& ready) {
  return {.version = 1,
          .is_default = true,
          .document = std::string(ready.document),
          .created = stored_time(kReadyMadeOn)};
}

Error no_version(const std::string& arn, std::int64_t version) {
  return {ErrorCode::not_found,
          "Policy " + arn + " version v" + std::to_string(version) + " does not exist."};
}

}  // namespace

Policies::Policies(store::Database& database, const base::Clock& clock, const Entities& entities,
                   IamChanges& changes)
    : database_(database), clock_(clock), entities_(entities), changes_(changes) {}

ManagedPolicy Policies::create(const NewPolicy& wanted,
                               const std::map<std::string, std::string>& tags) {
  check_iam_name(wanted.name, "PolicyName", kMostPolicyName);
  check_iam_path(wanted.path);
  if (wanted.description.size() > kMostDescription) {
    throw Error(ErrorCode::invalid_argument, "Description: is longer than 1000 characters");
  }
  check_document(wanted.document);
  const std::string arn = iam_arn(entities_.account(), "policy", wanted.path, wanted.name);
  ManagedPolicy made = database_.write([&](Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM iam_policies WHERE name_key = $1", {iam_key(wanted.name)})) {
      throw Error(ErrorCode::already_exists, "A policy called " + wanted.name +
                                                 " already exists. Duplicate names are not "
                                                 "allowed.");
    }
    if (tx.query_one("SELECT count(*) FROM iam_policies")->integer(0) >= kMostPolicies) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMostPolicies) + " policies, delete one");
    }
    const base::Timestamp now = clock_.now();
    tx.execute(
        "INSERT INTO iam_policies (arn, name_key, name, id, path, description, default_version, "
        "last_version, created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, 1, 1, $7, $7)",
        {arn, iam_key(wanted.name), wanted.name, make_iam_id("ANPA"), wanted.path,
         wanted.description, to_stored(now)});
    kVersions.insert_first(tx, arn, wanted.document, now);
    store_tags(tx, arn, tags);
    return control::require(tx, arn);
  });
  changes_.happened();
  return made;
}

ManagedPolicy Policies::require(const std::string& arn) const {
  return database_.read([&](Transaction& tx) { return control::require(tx, arn); });
}

Page<ManagedPolicy> Policies::list(const PolicyFilter& filter, const PageRequest& page) const {
  return database_.read([&](Transaction& tx) {
    Page<ManagedPolicy> listed;
    // Those of andon come before all others: their ARNs do.
    const auto add = [&](ManagedPolicy policy) {
      if (filter.only_attached && policy.attachments == 0) return true;
      if (listed.items.size() == page.limit) {
        listed.next = listed.items.back().arn;
        return false;
      }
      listed.items.push_back(std::move(policy));
      return true;
    };
    const auto has_passed = [&](const std::string& arn) {
      return !page.after.empty() && (find_ready_made(page.after) == nullptr || arn <= page.after);
    };
    if (filter.scope != PolicyFilter::Scope::own && filter.path_prefix == "/") {
      std::map<std::string, const ReadyMade*> sorted;
      for (const ReadyMade& ready : ready_made()) sorted.emplace(ready.arn(), &ready);
      for (const auto& [arn, ready] : sorted) {
        if (!has_passed(arn) && !add(as_policy(tx, *ready))) return listed;
      }
    }
    if (filter.scope == PolicyFilter::Scope::ready_made) return listed;
    const bool begins = find_ready_made(page.after) != nullptr;
    for (const Row& row :
         tx.query("SELECT " + std::string(kColumns) +
                      " FROM iam_policies p WHERE p.arn > $1 AND "
                      "substr(p.path, 1, length($2)) = $2 AND ($3 = 0 OR EXISTS (SELECT 1 FROM "
                      "iam_attachments a WHERE a.policy_arn = p.arn)) ORDER BY p.arn LIMIT $4",
                  {begins ? std::string() : page.after, filter.path_prefix,
                   std::int64_t{filter.only_attached ? 1 : 0},
                   static_cast<std::int64_t>(page.limit) + 1})) {
      if (!add(read(row))) break;
    }
    return listed;
  });
}

void Policies::remove(const std::string& arn) {
  database_.write([&](Transaction& tx) {
    const ManagedPolicy policy = require_own(tx, arn);
    if (policy.attachments > 0) {
      throw Error(ErrorCode::failed_precondition, "Cannot delete a policy attached to entities.");
    }
    if (kVersions.count(tx, arn) > 1) {
      throw Error(ErrorCode::failed_precondition,
                  "This policy has more than one version. Before you delete a policy, you must "
                  "delete the policy's versions. The default version is deleted with the policy.");
    }
    tx.execute("DELETE FROM tags WHERE arn = $1", {arn});
    tx.execute("DELETE FROM iam_policy_versions WHERE arn = $1", {arn});
    tx.execute("DELETE FROM iam_policies WHERE arn = $1", {arn});
  });
  changes_.happened();
}

DocumentVersion Policies::add_version(const std::string& arn, const std::string& document,
                                      VersionStanding standing) {
  check_document(document);
  DocumentVersion made = database_.write([&](Transaction& tx) {
    (void)require_own(tx, arn);
    auto added = kVersions.add(tx, arn, document, standing, clock_.now());
    if (!added) {
      throw Error(ErrorCode::resource_exhausted,
                  "A managed policy can have up to " + std::to_string(DocumentVersions::kMost) +
                      " versions. Before you create a new version, you must delete an existing "
                      "version.");
    }
    return std::move(*added);
  });
  changes_.happened();
  return made;
}

DocumentVersion Policies::version(const std::string& arn, std::int64_t version) const {
  return database_.read([&](Transaction& tx) {
    (void)control::require(tx, arn);
    if (const ReadyMade* ready = find_ready_made(arn); ready != nullptr && version == 1) {
      return ready_version(*ready);
    }
    auto found = kVersions.find(tx, arn, version);
    if (!found) throw no_version(arn, version);
    return std::move(*found);
  });
}

std::vector<DocumentVersion> Policies::versions(const std::string& arn) const {
  return database_.read([&](Transaction& tx) -> std::vector<DocumentVersion> {
    (void)control::require(tx, arn);
    if (const ReadyMade* ready = find_ready_made(arn)) return {ready_version(*ready)};
    return kVersions.all(tx, arn);
  });
}

void Policies::set_default_version(const std::string& arn, std::int64_t version) {
  database_.write([&](Transaction& tx) {
    (void)require_own(tx, arn);
    if (!kVersions.set_default(tx, arn, version, clock_.now())) throw no_version(arn, version);
  });
  changes_.happened();
}

void Policies::remove_version(const std::string& arn, std::int64_t version) {
  database_.write([&](Transaction& tx) {
    if (require_own(tx, arn).default_version == version) {
      throw Error(ErrorCode::failed_precondition, "Cannot delete the default version of a policy.");
    }
    if (!kVersions.remove(tx, arn, version)) throw no_version(arn, version);
  });
  changes_.happened();
}

void Policies::attach(Transaction& tx, const std::string& entity_id, const std::string& arn) {
  (void)control::require(tx, arn);
  tx.execute(
      "INSERT INTO iam_attachments (entity_id, policy_arn) VALUES ($1, $2) ON CONFLICT DO NOTHING",
      {entity_id, arn});
  const auto count =
      tx.query_one("SELECT count(*) FROM iam_attachments WHERE entity_id = $1", {entity_id});
  if (count->integer(0) > kMostAttached) {
    throw Error(ErrorCode::resource_exhausted, "at most " + std::to_string(kMostAttached) +
                                                   " policies can be attached to one entity");
  }
}

void Policies::attach(EntityKind kind, const std::string& name, const std::string& arn) {
  database_.write([&](Transaction& tx) { attach(tx, entities_.require(tx, kind, name).id, arn); });
  changes_.happened();
}

void Policies::detach(EntityKind kind, const std::string& name, const std::string& arn) {
  database_.write([&](Transaction& tx) {
    if (tx.execute("DELETE FROM iam_attachments WHERE entity_id = $1 AND policy_arn = $2",
                   {entities_.require(tx, kind, name).id, arn}) == 0) {
      throw Error(ErrorCode::not_found, "Policy " + arn.substr(0, 2048) + " was not found.");
    }
  });
  changes_.happened();
}

std::vector<AttachedPolicy> Policies::attached(EntityKind kind, const std::string& name) const {
  return database_.read([&](Transaction& tx) {
    std::vector<AttachedPolicy> attached;
    for (const Row& row :
         tx.query("SELECT policy_arn FROM iam_attachments WHERE entity_id = $1 ORDER BY policy_arn",
                  {entities_.require(tx, kind, name).id})) {
      const std::string& arn = row.text(0);
      attached.push_back({.arn = arn, .name = arn.substr(arn.rfind('/') + 1)});
    }
    return attached;
  });
}

Page<Entity> Policies::entities_of(const std::string& arn, const PageRequest& page) const {
  return database_.read([&](Transaction& tx) {
    (void)control::require(tx, arn);
    Page<Entity> listed;
    for (const Row& row : tx.query("SELECT entity_id FROM iam_attachments WHERE policy_arn = $1 "
                                   "AND entity_id > $2 ORDER BY entity_id LIMIT $3",
                                   {arn, page.after, static_cast<std::int64_t>(page.limit) + 1})) {
      if (listed.items.size() == page.limit) {
        listed.next = listed.items.back().id;
        break;
      }
      if (auto entity = entities_.find_by_id(tx, row.text(0))) {
        listed.items.push_back(*std::move(entity));
      }
    }
    return listed;
  });
}

void Policies::put_inline(EntityKind kind, const std::string& name, const std::string& policy,
                          const std::string& document) {
  check_iam_name(policy, "PolicyName", kMostPolicyName);
  check_document(document);
  database_.write([&](Transaction& tx) {
    const std::string id = entities_.require(tx, kind, name).id;
    tx.execute(
        "INSERT INTO iam_inline_policies (entity_id, name, document) VALUES ($1, $2, $3) "
        "ON CONFLICT (entity_id, name) DO UPDATE SET document = excluded.document",
        {id, policy, document});
    const auto count =
        tx.query_one("SELECT count(*) FROM iam_inline_policies WHERE entity_id = $1", {id});
    if (count->integer(0) > kMostInline) {
      throw Error(ErrorCode::resource_exhausted,
                  "an entity has at most " + std::to_string(kMostInline) + " inline policies");
    }
  });
  changes_.happened();
}

std::string Policies::inline_document(EntityKind kind, const std::string& name,
                                      const std::string& policy) const {
  return database_.read([&](Transaction& tx) {
    const auto row =
        tx.query_one("SELECT document FROM iam_inline_policies WHERE entity_id = $1 AND name = $2",
                     {entities_.require(tx, kind, name).id, policy});
    if (!row) {
      throw Error(ErrorCode::not_found, "The " + std::string(to_string(kind)) +
                                            " policy with name " + policy.substr(0, 128) +
                                            " cannot be found.");
    }
    return row->text(0);
  });
}

void Policies::remove_inline(EntityKind kind, const std::string& name, const std::string& policy) {
  database_.write([&](Transaction& tx) {
    if (tx.execute("DELETE FROM iam_inline_policies WHERE entity_id = $1 AND name = $2",
                   {entities_.require(tx, kind, name).id, policy}) == 0) {
      throw Error(ErrorCode::not_found, "The " + std::string(to_string(kind)) +
                                            " policy with name " + policy.substr(0, 128) +
                                            " cannot be found.");
    }
  });
  changes_.happened();
}

std::vector<std::string> Policies::inline_names(EntityKind kind, const std::string& name) const {
  return database_.read([&](Transaction& tx) {
    std::vector<std::string> names;
    for (const Row& row :
         tx.query("SELECT name FROM iam_inline_policies WHERE entity_id = $1 ORDER BY name",
                  {entities_.require(tx, kind, name).id})) {
      names.push_back(row.text(0));
    }
    return names;
  });
}

std::vector<Policies::Held> Policies::held_by(Transaction& tx, const std::string& entity_id) {
  std::vector<Held> held;
  for (const Row& row : tx.query("SELECT a.policy_arn, v.document FROM iam_attachments a "
                                 "LEFT JOIN iam_policies p ON p.arn = a.policy_arn "
                                 "LEFT JOIN iam_policy_versions v ON v.arn = p.arn AND v.version = "
                                 "p.default_version WHERE a.entity_id = $1 ORDER BY a.policy_arn",
                                 {entity_id})) {
    if (const ReadyMade* ready = find_ready_made(row.text(0))) {
      held.push_back({row.text(0), std::string(ready->document)});
    } else if (auto document = row.optional_text(1)) {
      held.push_back({row.text(0), *std::move(document)});
    }
  }
  for (const Row& row :
       tx.query("SELECT name, document FROM iam_inline_policies WHERE entity_id = $1 ORDER BY name",
                {entity_id})) {
    held.push_back({row.text(0), row.text(1)});
  }
  return held;
}

}  // namespace andon::control
