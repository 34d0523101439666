// SPDX-License-Identifier: Apache-2.0
#include "control/provisioning/provisioner.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "control/deployments/job_executions.hpp"
#include "control/devices/thing_types.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"
#include "control/shared/thing_rules.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kCertificateId = "AWS::IoT::Certificate::Id";
// A template that has this tag is for things that are there: by a claim it makes none.
constexpr std::string_view kKnownThingsTag = "andon:known-things";
constexpr std::string_view kOfferedName = "AWS IoT Certificate";
constexpr std::string_view kClaimName = "andon provisioning claim";

struct Owner {
  std::string certificate;
  std::string template_name;
  std::string answer;
};

Owner require_owner(store::Transaction& tx, const std::string& token, base::Timestamp now) {
  const auto row = tx.query_one(
      "SELECT certificate, template, answer, expires_ms FROM certificate_owners "
      "WHERE token_sha256 = $1",
      {trust::sha256_hex(token)});
  if (!row || stored_time(row->integer(3)) < now) {
    throw Error(ErrorCode::permission_denied,
                "certificateOwnershipToken: is unknown or over; ask for a certificate again");
  }
  return {row->text(0), row->text(1), row->text(2)};
}

// A certificate that nobody has taken goes with its token.
void forget_offer(store::Transaction& tx, const std::string& token_sha256,
                  const std::string& certificate) {
  tx.execute("DELETE FROM certificate_owners WHERE token_sha256 = $1", {token_sha256});
  tx.execute("DELETE FROM certificates WHERE id = $1 AND thing IS NULL AND status = 'INACTIVE'",
             {certificate});
}

// Who asks for certificates without end takes the room of his own, not of those who come after: the
// oldest that a device had time to take is forgotten.
void make_room(store::Transaction& tx, base::Timestamp asked_before) {
  const auto oldest = tx.query_one(
      "SELECT token_sha256, certificate FROM certificate_owners WHERE template = '' AND "
      "expires_ms < $1 ORDER BY expires_ms LIMIT 1",
      {to_stored(asked_before + Provisioner::kTokenLifetime)});
  if (!oldest) {
    throw Error(ErrorCode::resource_exhausted,
                "10000 certificates wait for their devices; try again in some minutes");
  }
  forget_offer(tx, oldest->text(0), oldest->text(1));
}

// Throws permission_denied where the template is for known things and this is none.
void require_known(store::Transaction& tx, const ProvisioningTemplate& found,
                   const std::string& thing) {
  if (!tx.query_one("SELECT 1 FROM tags WHERE arn = $1 AND tag_key = $2",
                    {found.arn, std::string(kKnownThingsTag)}) ||
      tx.query_one("SELECT 1 FROM things WHERE name = $1", {thing})) {
    return;
  }
  throw Error(ErrorCode::permission_denied,
              "there is no thing \"" + thing +
                  "\", and the template is for things that are there (its "
                  "tag " +
                  std::string(kKnownThingsTag) + "): make it first");
}

std::string to_stored_answer(const ProvisionedDevice& device) {
  return base::to_text(
      json::object{{"thing", device.thing}, {"configuration", to_stored(device.configuration)}});
}

ProvisionedDevice read_answer(const std::string& stored, std::string pem) {
  const json::object answer = stored_object(stored);
  const base::JsonReader reader(answer, "");
  return {reader.string("thing"), std::move(pem), stored_map(reader.string("configuration"))};
}

}  // namespace

HookVerdict read_hook_verdict(const json::value& answer) {
  const base::JsonReader reader(answer, "the answer of the hook", {.separator = ": "});
  const auto may = reader.optional_bool("allowProvisioning");
  if (!may) reader.fail("allowProvisioning", "is missing");
  HookVerdict verdict{.may = *may, .overrides = {}};
  if (reader.has("parameterOverrides")) {
    verdict.overrides = reader.scalar_map("parameterOverrides", "");
  }
  return verdict;
}

Provisioner::Provisioner(store::Database& database, const Certificates& certificates,
                         IotPolicies& policies, const ProvisioningTemplates& templates,
                         Outbox& outbox, const base::Clock& clock, Arns arns)
    : database_(database),
      certificates_(certificates),
      policies_(policies),
      templates_(templates),
      outbox_(outbox),
      clock_(clock),
      arns_(std::move(arns)) {}

ProvisioningClaim Provisioner::make_claim(const std::string& template_name) {
  constexpr std::int64_t kMostClaims = 1000;  // of one template, in five minutes
  ProvisioningClaim claim;
  claim.private_key_pem = trust::make_private_key();
  claim.public_key_pem = trust::public_key_of(claim.private_key_pem);
  const std::string csr = trust::make_csr(claim.private_key_pem, kClaimName);
  database_.write([&](store::Transaction& tx) {
    (void)templates_.require(tx, template_name);
    const base::Timestamp now = clock_.now();
    if (tx.query_one("SELECT COUNT(*) FROM provisioning_claims WHERE template = $1",
                     {template_name})
            ->integer(0) >= kMostClaims) {
      throw Error(ErrorCode::resource_exhausted,
                  "template \"" + template_name + "\" has 1000 claims; they end in 5 minutes");
    }
    const Certificate certificate = certificates_.issue(tx, csr,
                                                        {.common_name = std::string(kClaimName),
                                                         .thing = {},
                                                         .status = CertificateStatus::active,
                                                         .renewal_of = {},
                                                         .lifetime = std::chrono::days(1)});
    claim.expires = now + kClaimLifetime;
    tx.execute("UPDATE certificates SET not_after_ms = $2 WHERE id = $1",
               {certificate.id, to_stored(claim.expires)});
    tx.execute("INSERT INTO provisioning_claims (certificate, template) VALUES ($1, $2)",
               {certificate.id, template_name});
    claim.certificate_id = certificate.id;
    claim.certificate_pem = certificate.pem;
  });
  return claim;
}

std::optional<std::string> Provisioner::template_of_claim(const std::string& certificate) const {
  return database_.read([&](store::Transaction& tx) -> std::optional<std::string> {
    const auto row = tx.query_one(
        "SELECT p.template FROM provisioning_claims p JOIN certificates c ON c.id = p.certificate "
        "WHERE p.certificate = $1 AND c.status = 'ACTIVE' AND c.not_after_ms > $2",
        {certificate, to_stored(clock_.now())});
    if (!row) return std::nullopt;
    return row->text(0);
  });
}

OfferedCertificate Provisioner::offer_keys() {
  const std::string key = trust::make_private_key();
  return offer(trust::make_csr(key, kOfferedName), key);
}

OfferedCertificate Provisioner::offer(const std::string& csr_pem) {
  return offer(csr_pem, "");
}

OfferedCertificate Provisioner::offer(const std::string& csr_pem, std::string private_key_pem) {
  OfferedCertificate offered;
  offered.private_key_pem = std::move(private_key_pem);
  offered.ownership_token = base::to_base64url(base::random_bytes(32));
  database_.write([&](store::Transaction& tx) {
    if (tx.query_one("SELECT COUNT(*) FROM certificate_owners")->integer(0) >= kMostOffered) {
      make_room(tx, clock_.now() - kTakenWithin);
    }
    const Certificate certificate = certificates_.issue(tx, csr_pem,
                                                        {.common_name = std::string(kOfferedName),
                                                         .thing = {},
                                                         .status = CertificateStatus::inactive,
                                                         .renewal_of = {}});
    tx.execute(
        "INSERT INTO certificate_owners (token_sha256, certificate, expires_ms, template, answer) "
        "VALUES ($1, $2, $3, '', '')",
        {trust::sha256_hex(offered.ownership_token), certificate.id,
         to_stored(clock_.now() + kTokenLifetime)});
    offered.id = certificate.id;
    offered.pem = certificate.pem;
  });
  return offered;
}

// A policy that the template writes itself has a name of its content: the same one is there once.
void Provisioner::make_policies(store::Transaction& tx, Provisioning& wanted) const {
  constexpr std::size_t kDigits = 32;
  for (auto& [id, policy] : wanted.policies) {
    if (policy.document.empty()) continue;
    policy.name = "provisioned-" + trust::sha256_hex(policy.document).substr(0, kDigits);
    if (tx.query_one("SELECT 1 FROM iot_policies WHERE name = $1", {policy.name})) continue;
    (void)policies_.create(tx, policy.name, policy.document);
  }
}

bool Provisioner::settle_thing(store::Transaction& tx, const ThingWish& wish,
                               Takeover takeover) const {
  check_thing_name(wish.name);
  const base::Timestamp now = clock_.now();
  const auto row =
      tx.query_one("SELECT attributes, type_name FROM things WHERE name = $1", {wish.name});
  std::vector<std::string> groups = wish.groups;
  if (!row) {
    check_attributes(wish.attributes);
    require_usable_type(tx, wish.type_name);
    insert_thing(tx, wish.name, wish.attributes, wish.type_name, now);
  } else {
    // One that is over counts, too: a device that was off for long renews it.
    if (takeover == Takeover::refused &&
        tx.query_one("SELECT 1 FROM certificates WHERE thing = $1 AND status = 'ACTIVE' LIMIT 1",
                     {wish.name})) {
      throw Error(ErrorCode::failed_precondition,
                  "thing \"" + wish.name +
                      "\" has an active certificate already: revoke it first, or let a "
                      "preProvisioningHook decide");
    }
    StringMap attributes = stored_map(row->text(0));
    std::string type = row->text(1);
    if (attributes != wish.attributes) {
      if (wish.on_attributes == Override::fail) {
        throw Error(ErrorCode::conflict, "thing \"" + wish.name + "\" has other attributes");
      }
      if (wish.on_attributes == Override::replace) attributes = wish.attributes;
      if (wish.on_attributes == Override::merge) {
        for (const auto& [key, value] : wish.attributes) attributes[key] = value;
      }
    }
    if (type != wish.type_name) {
      if (wish.on_type == Override::fail) {
        throw Error(ErrorCode::conflict, "thing \"" + wish.name + "\" has another type");
      }
      if (wish.on_type == Override::replace) {
        require_usable_type(tx, wish.type_name);
        type = wish.type_name;
      }
    }
    check_attributes(attributes);
    if (attributes != stored_map(row->text(0)) || type != row->text(1)) {
      tx.execute(
          "UPDATE things SET attributes = $2, type_name = $3, version = version + 1 "
          "WHERE name = $1",
          {wish.name, to_stored(attributes), type});
    }
    if (wish.on_groups == Override::leave) groups.clear();
    if (wish.on_groups == Override::fail && !groups.empty()) {
      throw Error(ErrorCode::conflict, "thing \"" + wish.name + "\" is there already");
    }
    if (wish.on_groups == Override::replace) {
      tx.execute("DELETE FROM thing_group_members WHERE thing = $1", {wish.name});
    }
  }
  for (const std::string& group : groups) {
    require_group(tx, group);
    tx.execute(
        "INSERT INTO thing_group_members (group_name, thing) VALUES ($1, $2) "
        "ON CONFLICT (group_name, thing) DO NOTHING",
        {group, wish.name});
  }
  return settle_memberships(tx, wish.name, now);
}

bool Provisioner::settle(store::Transaction& tx, const Provisioning& wanted,
                         const std::string& certificate, Takeover takeover) const {
  bool changed = false;
  std::string thing;
  if (wanted.thing) {
    thing = wanted.thing->second.name;
    changed = settle_thing(tx, wanted.thing->second, takeover);
  }
  if (certificate.empty()) return changed;
  const auto found = certificates_.find(tx, certificate);
  if (!found) throw Error(ErrorCode::not_found, "there is no certificate " + certificate);
  if (!found->thing.empty() && found->thing != thing) {
    throw Error(
        ErrorCode::failed_precondition,
        "certificate " + certificate + " is attached to thing \"" + found->thing + "\" already");
  }
  if (found->status == CertificateStatus::revoked) {
    throw Error(ErrorCode::conflict, "certificate " + certificate + " is revoked");
  }
  const bool is_active = wanted.certificate && wanted.certificate->second.is_active;
  tx.execute(
      "UPDATE certificates SET status = $2, thing = $3, modified_ms = $4, changes = changes + 1 "
      "WHERE id = $1",
      {certificate,
       std::string(to_string(is_active ? CertificateStatus::active : CertificateStatus::inactive)),
       thing.empty() ? store::SqlValue() : store::SqlValue(thing), to_stored(clock_.now())});
  for (const auto& [id, policy] : wanted.policies) {
    policies_.attach(tx, policy.name,
                     {.kind = PolicyTarget::Kind::certificate, .name = certificate});
  }
  return changed;
}

ProvisionedDevice Provisioner::provision(const Asking& asking, const AskHook& hook) {
  ProvisioningTemplate found;
  Owner owner;
  Certificate certificate;
  database_.read([&](store::Transaction& tx) {
    found = templates_.require(tx, asking.template_name);
    if (!found.is_enabled) {
      throw Error(ErrorCode::failed_precondition,
                  "provisioning template \"" + asking.template_name + "\" is not enabled");
    }
    owner = require_owner(tx, asking.ownership_token, clock_.now());
    const auto offered = certificates_.find(tx, owner.certificate);
    if (!offered) throw Error(ErrorCode::not_found, "the certificate is not there any more");
    certificate = *offered;
  });
  if (!owner.template_name.empty()) {
    if (owner.template_name == asking.template_name) {
      return read_answer(owner.answer, certificate.pem);
    }
    throw Error(ErrorCode::permission_denied,
                "certificateOwnershipToken: was used for another template");
  }
  std::map<std::string, std::string> parameters = asking.parameters;
  if (!found.hook.function_arn.empty()) {
    json::object given;
    for (const auto& [key, value] : asking.parameters) given[key] = value;
    const HookVerdict verdict = hook({.function_arn = found.hook.function_arn,
                                      .event = {{"claimCertificateId", asking.claim},
                                                {"certificateId", certificate.id},
                                                {"certificatePem", certificate.pem},
                                                {"templateArn", found.arn},
                                                {"templateName", found.name},
                                                {"clientId", asking.client_id},
                                                {"parameters", std::move(given)}}});
    if (!verdict.may) {
      throw Error(ErrorCode::permission_denied,
                  "the preProvisioningHook of template \"" + found.name + "\" says no");
    }
    for (const auto& [key, value] : verdict.overrides) parameters[key] = value;
  }
  parameters[std::string(kCertificateId)] = certificate.id;
  Provisioning wanted = TemplateBody::parse(found.body).fill_in(parameters);
  if (!wanted.thing || !wanted.certificate) {
    throw Error(ErrorCode::failed_precondition,
                "template \"" + found.name + "\" makes no thing or gives it no certificate");
  }
  const CertificateWish& wish = wanted.certificate->second;
  if (!wish.csr.empty() || (!wish.id.empty() && wish.id != certificate.id)) {
    throw Error(ErrorCode::failed_precondition,
                "template \"" + found.name + "\" names another certificate than the device's own");
  }
  const Takeover takeover = found.hook.function_arn.empty() ? Takeover::refused : Takeover::allowed;
  ProvisionedDevice device{wanted.thing->second.name, certificate.pem, wanted.device_configuration};
  bool changed = false;
  database_.write([&](store::Transaction& tx) {
    // Somebody with the same token may have been quicker.
    owner = require_owner(tx, asking.ownership_token, clock_.now());
    if (!owner.template_name.empty()) {
      device = read_answer(owner.answer, certificate.pem);
      return;
    }
    require_known(tx, found, wanted.thing->second.name);
    make_policies(tx, wanted);
    changed = settle(tx, wanted, certificate.id, takeover);
    tx.execute("UPDATE certificate_owners SET template = $2, answer = $3 WHERE token_sha256 = $1",
               {trust::sha256_hex(asking.ownership_token), asking.template_name,
                to_stored_answer(device)});
  });
  if (changed) outbox_.wake();
  return device;
}

RegisteredResources Provisioner::register_thing(
    const std::string& body, const std::map<std::string, std::string>& parameters) {
  Provisioning wanted = TemplateBody::parse(body).fill_in(parameters);
  RegisteredResources registered;
  bool changed = false;
  database_.write([&](store::Transaction& tx) {
    make_policies(tx, wanted);
    std::string certificate;
    if (wanted.certificate) {
      const CertificateWish& wish = wanted.certificate->second;
      certificate = wish.id;
      if (!wish.csr.empty()) {
        certificate = certificates_
                          .issue(tx, wish.csr,
                                 {.common_name = wanted.thing ? wanted.thing->second.name
                                                              : std::string(kOfferedName),
                                  .thing = {},
                                  .status = CertificateStatus::inactive,
                                  .renewal_of = {}})
                          .id;
      }
      if (certificate.empty()) {
        throw Error(ErrorCode::invalid_argument,
                    "templateBody: the certificate has neither a CertificateId nor a "
                    "CertificateSigningRequest");
      }
    }
    changed = settle(tx, wanted, certificate, Takeover::allowed);
    if (wanted.thing) {
      registered.arns[wanted.thing->first] = arns_.thing(wanted.thing->second.name);
    }
    if (!certificate.empty()) {
      registered.certificate_pem = certificates_.find(tx, certificate)->pem;
      registered.arns[wanted.certificate->first] = arns_.certificate(certificate);
    }
    for (const auto& [id, policy] : wanted.policies) {
      registered.arns[id] = policies_.arn(policy.name);
    }
  });
  if (changed) outbox_.wake();
  return registered;
}

std::int64_t Provisioner::remove_expired(std::int64_t limit) {
  const std::int64_t now = to_stored(clock_.now());
  std::int64_t removed = 0;
  database_.write([&](store::Transaction& tx) {
    for (const store::Row& row :
         tx.query("SELECT token_sha256, certificate, template FROM certificate_owners "
                  "WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2",
                  {now, limit})) {
      if (row.text(2).empty()) {
        forget_offer(tx, row.text(0), row.text(1));
      } else {
        tx.execute("DELETE FROM certificate_owners WHERE token_sha256 = $1", {row.text(0)});
      }
      ++removed;
    }
    if (removed < limit) {
      removed += tx.execute(
          "DELETE FROM certificates WHERE id IN (SELECT c.id FROM certificates c "
          "JOIN provisioning_claims p ON p.certificate = c.id WHERE c.not_after_ms < $1 LIMIT $2)",
          {now, limit - removed});
    }
  });
  return removed;
}

}  // namespace andon::control
