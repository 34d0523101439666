// SPDX-License-Identifier: Apache-2.0
#include "control/identity/consumers.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "control/shared/sql_text.hpp"
#include "trust/keys/user_credential.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

// As long as the operator's own: nobody renews it, and it can be revoked.
constexpr std::chrono::days kLifetime{3650};
constexpr std::string_view kReserved = "andon-";

void check_name(const std::string& name) {
  if (!is_thing_name(name)) {
    throw Error(ErrorCode::invalid_argument,
                "consumerName: must be 1 to 128 letters, digits, ':', '_' and '-'");
  }
  if (name.starts_with(kReserved)) {
    throw Error(
        ErrorCode::invalid_argument,
        "consumerName: names that start with \"andon-\" are the server's own; take another");
  }
}

}  // namespace

std::string_view to_string(ConsumerKind kind) {
  switch (kind) {
    case ConsumerKind::certificate:
      return "certificate";
    case ConsumerKind::user:
      return "user";
  }
  throw Error(ErrorCode::internal, "a kind of consumer has no name");
}

Consumers::Consumers(store::Database& database, Certificates& certificates,
                     const IotPolicies& policies, const base::Clock& clock, Arns arns)
    : database_(database),
      certificates_(certificates),
      policies_(policies),
      clock_(clock),
      arns_(std::move(arns)) {}

Consumer Consumers::read(const store::Row& row) const {
  Consumer consumer{.name = row.text(0),
                    .arn = arns_.target("consumer/" + row.text(0)),
                    .kind = row.text(1) == to_string(ConsumerKind::user)
                                ? ConsumerKind::user
                                : ConsumerKind::certificate,
                    .credential = row.text(2),
                    .principal = {},
                    .created = stored_time(row.integer(3))};
  const bool is_user = consumer.kind == ConsumerKind::user;
  consumer.principal = is_user ? consumer.arn : arns_.certificate(consumer.credential);
  return consumer;
}

NewConsumer Consumers::add(const std::string& name, ConsumerKind kind,
                           const std::vector<std::string>& policies) {
  check_name(name);
  NewConsumer made;
  const bool is_user = kind == ConsumerKind::user;
  std::string csr;
  if (is_user) {
    made.password = trust::make_password();
  } else {
    made.private_key_pem = trust::make_private_key();
    csr = trust::make_csr(made.private_key_pem, name);
  }
  database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT 1 FROM consumers WHERE name = $1", {name})) {
      throw Error(ErrorCode::already_exists, "there is a consumer \"" + name + "\" already");
    }
    if (tx.query_one("SELECT count(*) FROM consumers")->integer(0) >= kMost) {
      throw Error(ErrorCode::resource_exhausted,
                  "there are " + std::to_string(kMost) + " consumers, the most");
    }
    PolicyTarget target{.kind = PolicyTarget::Kind::consumer, .name = name};
    std::string credential;
    if (is_user) {
      credential = trust::user_credential(name, made.password);
    } else {
      const Certificate certificate = certificates_.issue(tx, csr,
                                                          {.common_name = name,
                                                           .thing = {},
                                                           .status = CertificateStatus::active,
                                                           .renewal_of = {},
                                                           .lifetime = kLifetime});
      credential = certificate.id;
      made.certificate_pem = certificate.pem;
      target = {.kind = PolicyTarget::Kind::certificate, .name = certificate.id};
    }
    tx.execute("INSERT INTO consumers (name, kind, credential, created_ms) VALUES ($1, $2, $3, $4)",
               {name, std::string(to_string(kind)), credential, to_stored(clock_.now())});
    for (const std::string& policy : policies) policies_.attach(tx, policy, target);
    made.consumer = read(*tx.query_one(
        "SELECT name, kind, credential, created_ms FROM consumers WHERE name = $1", {name}));
  });
  return made;
}

Page<Consumer> Consumers::list(const PageRequest& page) const {
  return database_.read([&](store::Transaction& tx) {
    Page<Consumer> listed;
    for (const store::Row& row :
         tx.query("SELECT name, kind, credential, created_ms FROM consumers WHERE name > $1 "
                  "ORDER BY name LIMIT $2",
                  {page.after, static_cast<std::int64_t>(page.limit) + 1})) {
      if (listed.items.size() == page.limit) {
        listed.next = listed.items.back().name;
        break;
      }
      listed.items.push_back(read(row));
    }
    return listed;
  });
}

std::optional<Consumer> Consumers::find(const std::string& name) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<Consumer> {
    const auto row = tx.query_one(
        "SELECT name, kind, credential, created_ms FROM consumers WHERE name = $1", {name});
    return row ? std::optional(read(*row)) : std::nullopt;
  });
}

void Consumers::remove(const std::string& name) {
  database_.write([&](store::Transaction& tx) {
    const auto row = tx.query_one("SELECT kind, credential FROM consumers WHERE name = $1", {name});
    if (!row) {
      throw Error(ErrorCode::not_found, "there is no consumer \"" + name.substr(0, 200) + "\"");
    }
    tx.execute("DELETE FROM consumers WHERE name = $1", {name});
    if (row->text(0) == to_string(ConsumerKind::certificate)) {
      tx.execute("DELETE FROM certificates WHERE id = $1", {row->text(1)});
    }
  });
}

bool Consumers::has_users() const {
  return database_.read([](store::Transaction& tx) {
    return tx.query_one("SELECT 1 FROM consumers WHERE kind = 'user' LIMIT 1").has_value();
  });
}

}  // namespace andon::control
