// SPDX-License-Identifier: Apache-2.0
#include "control/identity/connection_rights.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

#include "base/error/error.hpp"
#include "control/shared/sql_text.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {
namespace {

constexpr std::string_view kPolicy = "policy/";  // in connection_changes.target
// The rule itself; $1 is now.
const std::string kMay = "status = 'ACTIVE' AND thing IS NOT NULL AND not_after_ms > $1";

// Whose certificate it is; empty where it may not be used.
std::string thing_of(store::Transaction& tx, const std::string& id, base::Timestamp now) {
  const auto row = tx.query_one("SELECT thing FROM certificates WHERE " + kMay + " AND id = $2",
                                {to_stored(now), id});
  return row ? row->text(0) : "";
}

// At the broker. Nothing where it may not be used.
std::optional<ConnectionRights::Certificate> holder_of(store::Transaction& tx, PolicyRights& rights,
                                                       const std::string& id, base::Timestamp now) {
  ConnectionRights::Certificate holder{.id = id, .thing = {}, .may = true};
  const auto certificate = tx.query_one(
      "SELECT c.thing, c.pem, k.name, p.template FROM certificates c "
      "LEFT JOIN consumers k ON k.credential = c.id "
      "LEFT JOIN provisioning_claims p ON p.certificate = c.id WHERE c.id = $2 AND c.status = "
      "'ACTIVE' AND c.not_after_ms > $1",
      {to_stored(now), id});
  std::string pem;
  if (certificate) {
    holder.thing = certificate->optional_text(0).value_or("");
    pem = certificate->text(1);
    if (const auto claim = certificate->optional_text(3); claim && holder.thing.empty()) {
      holder.claim = *claim;
      return holder;
    }
    if (holder.thing.empty()) holder.name = certificate->optional_text(2).value_or(id);
    holder.policies = PolicyRights::policies_of(tx, "cert/" + id, holder.thing);
  } else {
    const auto user =
        tx.query_one("SELECT name FROM consumers WHERE credential = $1 AND kind = 'user'", {id});
    if (!user) return std::nullopt;
    holder.name = user->text(0);
    holder.policies = PolicyRights::policies_of(tx, "consumer/" + holder.name, "");
  }
  holder.may = !holder.thing.empty() || !holder.policies.empty();
  holder.facts = rights.facts_of(holder.policies, holder.thing, pem);
  return holder;
}

ConnectionRights::Policy read_policy(store::Transaction& tx, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT v.document FROM iot_policies p JOIN iot_policy_versions v ON v.name = p.name AND "
      "v.version = p.default_version WHERE p.name = $1",
      {name});
  return {name, row ? row->text(0) : ""};
}

std::string why_not(store::Transaction& tx, const std::string& id) {
  const auto row =
      tx.query_one("SELECT status, thing, not_after_ms FROM certificates WHERE id = $1", {id});
  if (!row) return "is not registered with this server; provision the device again";
  if (row->text(0) != "ACTIVE") {
    return "is " + row->text(0) +
           "; ask the operator to activate it or to give a new token for the device";
  }
  if (!row->optional_text(1)) return "is attached to no thing; ask the operator to attach it";
  return "ended at " + base::to_iso8601(stored_time(row->integer(2))) +
         "; it opens nothing but its own renewal";
}

}  // namespace

ConnectionRights::ConnectionRights(store::Database& database, const base::Clock& clock)
    : database_(database), clock_(clock), looked_(clock.now()) {}

ConnectionRights::Verdict ConnectionRights::may(const std::string& certificate_id) const {
  Verdict verdict;
  database_.read([&](store::Transaction& tx) {
    verdict.thing = thing_of(tx, certificate_id, clock_.now());
    verdict.may = !verdict.thing.empty();
    if (!verdict.may) verdict.why = why_not(tx, certificate_id);
  });
  return verdict;
}

std::string ConnectionRights::authenticate(const std::string& certificate_pem) const {
  const trust::CertificateInfo info = trust::describe_certificate(certificate_pem);
  Verdict verdict = may(info.fingerprint);
  if (!verdict.may) {
    throw base::Error(base::ErrorCode::permission_denied,
                      "the certificate of \"" + info.common_name + "\" " + verdict.why);
  }
  return std::move(verdict.thing);
}

std::optional<ConnectionRights::Certificate> ConnectionRights::at_broker(
    const std::string& credential) const {
  return database_.read([&](store::Transaction& tx) {
    PolicyRights rights(tx);
    return holder_of(tx, rights, credential, clock_.now());
  });
}

PolicyFacts ConnectionRights::facts_for(const std::vector<std::string>& policies,
                                        const std::string& thing,
                                        const std::string& certificate_pem) const {
  return database_.read([&](store::Transaction& tx) {
    PolicyRights rights(tx);
    return rights.facts_of(policies, thing, certificate_pem);
  });
}

bool ConnectionRights::may_thing(const std::string& thing) const {
  return database_.read([&](store::Transaction& tx) {
    return tx
        .query_one("SELECT 1 FROM certificates WHERE " + kMay + " AND thing = $2 LIMIT 1",
                   {to_stored(clock_.now()), thing})
        .has_value();
  });
}

ConnectionRights::State ConnectionRights::read_all() {
  State state;
  const base::Timestamp now = clock_.now();
  database_.write([&](store::Transaction& tx) {
    tx.execute("DELETE FROM connection_changes");
    for (const store::Row& row :
         tx.query("SELECT iot_policies.name, v.document FROM iot_policies CROSS JOIN "
                  "iot_policy_versions v WHERE v.name = iot_policies.name AND v.version = "
                  "iot_policies.default_version")) {
      state.policies.push_back({row.text(0), row.text(1)});
    }
    std::vector<std::string> ids;
    for (const store::Row& row :
         tx.query("SELECT id FROM certificates WHERE status = 'ACTIVE' AND not_after_ms > $1",
                  {to_stored(now)})) {
      ids.push_back(row.text(0));
    }
    for (const store::Row& row : tx.query("SELECT credential FROM consumers WHERE kind = 'user'")) {
      ids.push_back(row.text(0));
    }
    PolicyRights rights(tx);
    for (const std::string& id : ids) {
      auto holder = holder_of(tx, rights, id, now);
      if (holder && holder->may) state.certificates.push_back(*std::move(holder));
    }
    for (const store::Row& row : tx.query("SELECT name FROM things")) {
      state.things.push_back({row.text(0), true});
    }
  });
  const std::lock_guard lock(mutex_);
  looked_ = now;
  return state;
}

// Both ways: a clock that is put back makes what was over good again.
std::vector<std::string> ConnectionRights::ended_since_last_look(store::Transaction& tx,
                                                                 base::Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto [from, until] = std::minmax(looked_, now);
  std::vector<std::string> ids;
  for (const store::Row& row :
       tx.query("SELECT id FROM certificates WHERE not_after_ms > $1 AND not_after_ms <= $2",
                {to_stored(from), to_stored(until)})) {
    ids.push_back(row.text(0));
  }
  looked_ = now;
  return ids;
}

ConnectionRights::State ConnectionRights::take_changes(std::size_t limit) {
  State state;
  const auto most = static_cast<std::int64_t>(limit);
  const base::Timestamp now = clock_.now();
  std::set<std::string> certificates;
  bool any = false;
  database_.read([&](store::Transaction& tx) {
    any = tx.query_one("SELECT 1 FROM connection_changes LIMIT 1").has_value();
    for (std::string& id : ended_since_last_look(tx, now)) certificates.insert(std::move(id));
  });
  if (!any && certificates.empty()) return state;
  database_.write([&](store::Transaction& tx) {
    std::set<std::string> things;
    std::set<std::string> targets;
    std::int64_t last = 0;
    for (const store::Row& row : tx.query(
             "SELECT id, certificate, thing, target FROM connection_changes ORDER BY id LIMIT $1",
             {most})) {
      last = row.integer(0);
      if (const auto certificate = row.optional_text(1)) certificates.insert(*certificate);
      if (const auto thing = row.optional_text(2)) things.insert(*thing);
      if (const auto target = row.optional_text(3)) targets.insert(*target);
    }
    for (const std::string& target : targets) {
      if (target.starts_with(kPolicy)) {
        state.policies.push_back(read_policy(tx, target.substr(kPolicy.size())));
      }
      for (std::string& id : PolicyRights::credentials_of(tx, target)) {
        certificates.insert(std::move(id));
      }
    }
    PolicyRights rights(tx);
    for (const std::string& id : certificates) {
      auto holder = holder_of(tx, rights, id, now);
      state.certificates.push_back(holder ? *std::move(holder)
                                          : Certificate{.id = id, .thing = {}});
    }
    for (const std::string& name : things) {
      state.things.push_back(
          {name, tx.query_one("SELECT 1 FROM things WHERE name = $1", {name}).has_value()});
    }
    tx.execute("DELETE FROM connection_changes WHERE id <= $1", {last});
  });
  return state;
}

}  // namespace andon::control
