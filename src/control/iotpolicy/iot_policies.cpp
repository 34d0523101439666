// SPDX-License-Identifier: Apache-2.0
#include "control/iotpolicy/iot_policies.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "control/iotpolicy/policy_rights.hpp"
#include "control/shared/certificate_family.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::Transaction;

const DocumentVersions kVersions({.owners = "iot_policies",
                                  .versions = "iot_policy_versions",
                                  .key = "name",
                                  .document = "document"});

Error no_policy(const std::string& name) {
  return {ErrorCode::not_found, "there is no policy \"" + name.substr(0, 200) + "\""};
}

Error no_version(const std::string& name, std::int64_t version) {
  return {ErrorCode::not_found,
          "policy \"" + name + "\" has no version " + std::to_string(version)};
}

// The keys that a target stands for: a certificate's renewals have what it has. not_found.
std::vector<std::string> keys_of(Transaction& tx, const PolicyTarget& target) {
  using Kind = PolicyTarget::Kind;
  if (target.kind == Kind::thing_group) {
    require_group(tx, target.name);
    return {target.key()};
  }
  if (target.kind == Kind::consumer) {
    if (!tx.query_one("SELECT 1 FROM consumers WHERE name = $1", {target.name})) {
      throw Error(ErrorCode::not_found, "there is no consumer \"" + target.name + "\"");
    }
    return {target.key()};
  }
  std::vector<std::string> keys;
  for (const Row& row : tx.query(
           "SELECT id FROM certificates WHERE " + std::string(kWithItsRenewal), {target.name})) {
    keys.push_back(PolicyTarget{Kind::certificate, row.text(0)}.key());
  }
  if (keys.empty()) {
    throw Error(ErrorCode::not_found, "there is no certificate " + target.name.substr(0, 200));
  }
  return keys;
}

Page<std::string> to_page(const std::vector<Row>& rows, std::size_t limit) {
  Page<std::string> page;
  for (const Row& row : rows) {
    if (page.items.size() == limit) {
      page.next = page.items.back();
      break;
    }
    page.items.push_back(row.text(0));
  }
  return page;
}

std::int64_t limit_of(const PageRequest& page) {
  return static_cast<std::int64_t>(page.limit) + 1;
}

}  // namespace

IotPolicies::IotPolicies(store::Database& database, const base::Clock& clock, Arns arns)
    : database_(database), clock_(clock), arns_(std::move(arns)) {}

IotPolicy IotPolicies::require(Transaction& tx, const std::string& name) const {
  const auto row = tx.query_one(
      "SELECT p.default_version, p.created_ms, p.updated_ms, v.document FROM iot_policies p "
      "JOIN iot_policy_versions v ON v.name = p.name AND v.version = p.default_version "
      "WHERE p.name = $1",
      {name});
  if (!row) throw no_policy(name);
  return {.name = name,
          .arn = arn(name),
          .document = row->text(3),
          .default_version = row->integer(0),
          .created = stored_time(row->integer(1)),
          .updated = stored_time(row->integer(2))};
}

IotPolicy IotPolicies::require(const std::string& name) const {
  return database_.read([&](Transaction& tx) { return require(tx, name); });
}

IotPolicy IotPolicies::create(const std::string& name, const std::string& document) {
  return database_.write([&](Transaction& tx) { return create(tx, name, document); });
}

IotPolicy IotPolicies::create(Transaction& tx, const std::string& name,
                              const std::string& document) const {
  check_iot_policy_name(name);
  check_iot_policy_document(document);
  if (tx.query_one("SELECT 1 FROM iot_policies WHERE name = $1", {name})) {
    throw Error(ErrorCode::already_exists, "there is a policy \"" + name + "\" already");
  }
  if (tx.query_one("SELECT count(*) FROM iot_policies")->integer(0) >= kMostPolicies) {
    throw Error(ErrorCode::resource_exhausted,
                "there are " + std::to_string(kMostPolicies) + " IoT policies, the most");
  }
  const base::Timestamp now = clock_.now();
  tx.execute(
      "INSERT INTO iot_policies (name, default_version, last_version, created_ms, updated_ms) "
      "VALUES ($1, 1, 1, $2, $2)",
      {name, to_stored(now)});
  kVersions.insert_first(tx, name, document, now);
  return require(tx, name);
}

Page<std::string> IotPolicies::list(Order order, const PageRequest& page) const {
  return database_.read([&](Transaction& tx) {
    if (order == Order::ascending) {
      return to_page(
          tx.query("SELECT name FROM iot_policies WHERE name > $1 ORDER BY name LIMIT $2",
                   {page.after, limit_of(page)}),
          page.limit);
    }
    // No name begins with that.
    const std::string before = page.after.empty() ? "\x7f" : page.after;
    return to_page(
        tx.query("SELECT name FROM iot_policies WHERE name < $1 ORDER BY name DESC LIMIT $2",
                 {before, limit_of(page)}),
        page.limit);
  });
}

void IotPolicies::remove(const std::string& name) {
  database_.write([&](Transaction& tx) {
    (void)require(tx, name);
    const auto target =
        tx.query_one("SELECT target FROM iot_policy_attachments WHERE policy = $1 LIMIT 1", {name});
    if (target) {
      throw Error(ErrorCode::conflict, "policy \"" + name + "\" is attached to " + target->text(0) +
                                           ": detach it (DetachPolicy) first");
    }
    if (kVersions.count(tx, name) > 1) {
      throw Error(ErrorCode::conflict, "policy \"" + name +
                                           "\" has other versions than its default: delete them "
                                           "(DeletePolicyVersion) first");
    }
    tx.execute("DELETE FROM iot_policies WHERE name = $1", {name});
  });
}

DocumentVersion IotPolicies::add_version(const std::string& name, const std::string& document,
                                         VersionStanding standing) {
  check_iot_policy_document(document);
  return database_.write([&](Transaction& tx) {
    (void)require(tx, name);
    const auto made = kVersions.add(tx, name, document, standing, clock_.now());
    if (!made) {
      throw Error(ErrorCode::resource_exhausted,
                  "policy \"" + name + "\" has " + std::to_string(DocumentVersions::kMost) +
                      " versions, the most: delete one (DeletePolicyVersion) first");
    }
    return *made;
  });
}

DocumentVersion IotPolicies::version(const std::string& name, std::int64_t version) const {
  return database_.read([&](Transaction& tx) {
    (void)require(tx, name);
    const auto found = kVersions.find(tx, name, version);
    if (!found) throw no_version(name, version);
    return *found;
  });
}

std::vector<DocumentVersion> IotPolicies::versions(const std::string& name) const {
  return database_.read([&](Transaction& tx) {
    (void)require(tx, name);
    return kVersions.all(tx, name);
  });
}

void IotPolicies::set_default_version(const std::string& name, std::int64_t version) {
  database_.write([&](Transaction& tx) {
    (void)require(tx, name);
    if (!kVersions.set_default(tx, name, version, clock_.now())) throw no_version(name, version);
  });
}

void IotPolicies::remove_version(const std::string& name, std::int64_t version) {
  database_.write([&](Transaction& tx) {
    if (require(tx, name).default_version == version) {
      throw Error(ErrorCode::conflict,
                  "version " + std::to_string(version) + " is the default of policy \"" + name +
                      "\": make another the default (SetDefaultPolicyVersion) first");
    }
    if (!kVersions.remove(tx, name, version)) throw no_version(name, version);
  });
}

void IotPolicies::attach(Transaction& tx, const std::string& name,
                         const PolicyTarget& target) const {
  (void)require(tx, name);
  for (const std::string& key : keys_of(tx, target)) {
    tx.execute(
        "INSERT INTO iot_policy_attachments (target, policy) VALUES ($1, $2) "
        "ON CONFLICT DO NOTHING",
        {key, name});
    const auto count =
        tx.query_one("SELECT count(*) FROM iot_policy_attachments WHERE target = $1", {key});
    if (count->integer(0) > kMostAttached) {
      throw Error(ErrorCode::resource_exhausted, key + " has " + std::to_string(kMostAttached) +
                                                     " policies, the most: detach one first");
    }
  }
}

void IotPolicies::attach(const std::string& name, const PolicyTarget& target) {
  database_.write([&](Transaction& tx) { attach(tx, name, target); });
}

void IotPolicies::detach(const std::string& name, const PolicyTarget& target) {
  database_.write([&](Transaction& tx) {
    (void)require(tx, name);
    for (const std::string& key : keys_of(tx, target)) {
      tx.execute("DELETE FROM iot_policy_attachments WHERE target = $1 AND policy = $2",
                 {key, name});
    }
  });
}

Page<std::string> IotPolicies::attached(const PolicyTarget& target, Reach reach,
                                        const PageRequest& page) const {
  return database_.read([&](Transaction& tx) {
    (void)keys_of(tx, target);
    if (reach == Reach::with_parents && target.kind == PolicyTarget::Kind::thing_group) {
      return to_page(
          tx.query(
              "WITH RECURSIVE up (name, parent) AS ("
              "  SELECT name, parent FROM thing_groups WHERE name = $1"
              "  UNION SELECT g.name, g.parent FROM thing_groups g "
              "  JOIN up ON g.name = up.parent) "
              "SELECT DISTINCT policy FROM iot_policy_attachments WHERE target IN "
              "(SELECT 'thinggroup/' || name FROM up) AND policy > $2 ORDER BY policy LIMIT $3",
              {target.name, page.after, limit_of(page)}),
          page.limit);
    }
    return to_page(tx.query("SELECT policy FROM iot_policy_attachments WHERE target = $1 AND "
                            "policy > $2 ORDER BY policy LIMIT $3",
                            {target.key(), page.after, limit_of(page)}),
                   page.limit);
  });
}

Page<std::string> IotPolicies::targets(const std::string& name, const std::string& prefix,
                                       const PageRequest& page) const {
  return database_.read([&](Transaction& tx) {
    (void)require(tx, name);
    const std::string from = page.after.empty() ? prefix : page.after;
    // Targets are ASCII.
    return to_page(tx.query("SELECT target FROM iot_policy_attachments WHERE policy = $1 AND "
                            "target > $2 AND target < $3 ORDER BY target LIMIT $4",
                            {name, from, prefix + "\x7f", limit_of(page)}),
                   page.limit);
  });
}

std::vector<IotPolicy> IotPolicies::effective(const std::string& principal_key,
                                              const std::string& thing) const {
  return database_.read([&](Transaction& tx) {
    std::vector<IotPolicy> policies;
    for (const std::string& name : PolicyRights::policies_of(tx, principal_key, thing)) {
      policies.push_back(require(tx, name));
    }
    return policies;
  });
}

}  // namespace andon::control
