// SPDX-License-Identifier: Apache-2.0
#include "control/iotpolicy/policy_rights.hpp"

#include <algorithm>
#include <string_view>

#include "base/text/ascii.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {
namespace {

using store::Row;
using store::Transaction;

// Of names of one kind in a certificate.
constexpr std::size_t kMostOfAKind = 10;

void add_texts(PolicyFacts& facts, const std::string& key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  facts[key] = values.front();
  const std::size_t count = std::min(values.size(), kMostOfAKind);
  for (std::size_t i = 0; i < count; ++i) facts[key + "." + std::to_string(i)] = values[i];
}

void add_name(PolicyFacts& facts, const std::string& prefix,
              const std::vector<trust::NamePart>& parts) {
  std::map<std::string, std::vector<std::string>> by_field;
  for (const trust::NamePart& part : parts) by_field[part.field].push_back(part.value);
  for (const auto& [field, values] : by_field) add_texts(facts, prefix + field, values);
}

void add_certificate(PolicyFacts& facts, const std::string& pem) {
  const trust::CertificateInfo info = trust::describe_certificate(pem);
  facts["iot:Certificate.SerialNumber"] = info.serial_hex;
  add_texts(facts, "iot:Certificate.Subject.AlternativeName.DNSName", info.dns_names);
  add_texts(facts, "iot:Certificate.Subject.AlternativeName.IPAddress", info.ip_addresses);
  const trust::CertificateNames names = trust::names_of_certificate(pem);
  add_name(facts, "iot:Certificate.Subject.", names.subject);
  add_name(facts, "iot:Certificate.Issuer.", names.issuer);
}

std::vector<std::string> first_column(const std::vector<Row>& rows) {
  std::vector<std::string> texts;
  for (const Row& row : rows) texts.push_back(row.text(0));
  return texts;
}

}  // namespace

std::vector<std::string> PolicyRights::policies_of(Transaction& tx,
                                                   const std::string& principal_key,
                                                   const std::string& thing) {
  std::vector<std::string> policies = first_column(
      tx.query("SELECT policy FROM iot_policy_attachments WHERE target = $1", {principal_key}));
  if (!thing.empty()) {
    const auto of_groups = first_column(tx.query(
        "WITH RECURSIVE up (name, parent) AS ("
        "  SELECT g.name, g.parent FROM thing_groups g "
        "  JOIN thing_group_members m ON m.group_name = g.name WHERE m.thing = $1"
        "  UNION SELECT g.name, g.parent FROM thing_groups g JOIN up ON g.name = up.parent) "
        "SELECT policy FROM iot_policy_attachments WHERE target IN "
        "(SELECT 'thinggroup/' || name FROM up)",
        {thing}));
    policies.insert(policies.end(), of_groups.begin(), of_groups.end());
  }
  std::ranges::sort(policies);
  policies.erase(std::unique(policies.begin(), policies.end()), policies.end());
  return policies;
}

// Reading a certificate costs more than all else.
bool PolicyRights::asks_for_certificate(const std::string& policy) {
  const auto known = asks_for_certificate_.find(policy);
  if (known != asks_for_certificate_.end()) return known->second;
  const auto row = tx_.query_one(
      "SELECT v.document FROM iot_policies p JOIN iot_policy_versions v ON v.name = p.name AND "
      "v.version = p.default_version WHERE p.name = $1",
      {policy});
  const bool asks =
      row && base::to_lower(row->text(0)).find("iot:certificate.") != std::string::npos;
  asks_for_certificate_[policy] = asks;
  return asks;
}

PolicyFacts PolicyRights::facts_of(const std::vector<std::string>& policies,
                                   const std::string& thing, const std::string& certificate_pem) {
  PolicyFacts facts;
  if (policies.empty()) return facts;
  facts["iot:Connection.Thing.IsAttached"] = thing.empty() ? "false" : "true";
  if (!thing.empty()) {
    facts["iot:Connection.Thing.ThingName"] = thing;
    const auto row =
        tx_.query_one("SELECT type_name, attributes FROM things WHERE name = $1", {thing});
    if (row && !row->text(0).empty()) facts["iot:Connection.Thing.ThingTypeName"] = row->text(0);
    if (row) {
      for (const auto& [name, value] : stored_map(row->text(1))) {
        facts["iot:Connection.Thing.Attributes[" + name + "]"] = value;
      }
    }
  }
  const bool needs_certificate =
      !certificate_pem.empty() && std::ranges::any_of(policies, [this](const std::string& name) {
        return asks_for_certificate(name);
      });
  if (needs_certificate) add_certificate(facts, certificate_pem);
  return facts;
}

std::vector<std::string> PolicyRights::credentials_of(Transaction& tx, const std::string& target) {
  const std::size_t slash = target.find('/');
  const std::string_view kind = std::string_view(target).substr(0, slash);
  const std::string name = target.substr(std::min(slash + 1, target.size()));
  if (kind == "cert") return {name};
  if (kind == "consumer") {
    return first_column(tx.query("SELECT credential FROM consumers WHERE name = $1", {name}));
  }
  if (kind == "thing") {
    return first_column(tx.query("SELECT id FROM certificates WHERE thing = $1", {name}));
  }
  if (kind != "thinggroup") return {};
  return first_column(tx.query(subtree_sql() + "SELECT DISTINCT c.id FROM thing_group_members m "
                                               "JOIN certificates c ON c.thing = m.thing "
                                               "WHERE m.group_name IN (SELECT name FROM subtree)",
                               {name}));
}

}  // namespace andon::control
