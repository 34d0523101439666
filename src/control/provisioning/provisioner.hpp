// SPDX-License-Identifier: Apache-2.0
// What a client with a claim gets: first a certificate that opens nothing yet and a token that says
// whose it is, then, by a template, its place in the fleet. Any thread; each call is one
// transaction, so a server that is killed has done all of it or nothing; who lost the answer asks
// again with the same token and gets the same.
//
// A thing that has an ACTIVE certificate already is not given another by a claim alone, for who has
// the claim could be any device of the fleet: a hook decides it, or the operator revokes the old
// one first.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "control/identity/certificates.hpp"
#include "control/iotpolicy/iot_policies.hpp"
#include "control/provisioning/provisioning_templates.hpp"
#include "control/provisioning/template_body.hpp"
#include "control/shared/outbox.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// A certificate that is nobody's yet.
struct OfferedCertificate {
  std::string id;
  std::string pem;
  std::string private_key_pem;  // where it was made here
  std::string ownership_token;
};

struct ProvisionedDevice {
  std::string thing;
  std::string certificate_pem;
  std::map<std::string, std::string> configuration;  // the template's DeviceConfiguration
};

struct RegisteredResources {
  std::string certificate_pem;
  std::map<std::string, std::string> arns;  // "thing", "certificate", "policy"
};

struct ProvisioningClaim {
  std::string certificate_id;
  std::string certificate_pem;
  std::string public_key_pem;
  std::string private_key_pem;
  base::Timestamp expires;
};

// What a hook is told, and says. It throws where it cannot be asked: then nobody is let in.
struct HookQuestion {
  std::string function_arn;
  json::object event;
};
struct HookVerdict {
  bool may = false;
  std::map<std::string, std::string> overrides;  // of parameters
};
using AskHook = std::function<HookVerdict(const HookQuestion&)>;
// Throws invalid_argument for an answer that is none.
[[nodiscard]] HookVerdict read_hook_verdict(const json::value& answer);

class Provisioner {
 public:
  static constexpr std::chrono::minutes kClaimLifetime{5};  // of AWS
  static constexpr std::chrono::hours kTokenLifetime{1};    // of AWS
  static constexpr std::int64_t kMostOffered = 10'000;      // in an hour, taken or not
  static constexpr std::chrono::minutes kTakenWithin{5};    // so long none makes room for another

  Provisioner(store::Database& database, const Certificates& certificates, IotPolicies& policies,
              const ProvisioningTemplates& templates, Outbox& outbox, const base::Clock& clock,
              Arns arns);

  // not_found.
  [[nodiscard]] ProvisioningClaim make_claim(const std::string& template_name);
  // The template that a certificate is a claim for; nothing for one that is none, or over.
  [[nodiscard]] std::optional<std::string> template_of_claim(const std::string& certificate) const;

  // Where there are too many, the oldest that nobody has taken makes room; resource_exhausted where
  // there is none such.
  [[nodiscard]] OfferedCertificate offer_keys();
  [[nodiscard]] OfferedCertificate offer(const std::string& csr_pem);

  struct Asking {
    std::string template_name;
    std::string ownership_token;
    std::map<std::string, std::string> parameters;
    std::string client_id;
    std::string claim;  // id of the certificate that it came by
  };
  // permission_denied for a token that is unknown, over or used for another template, or where the
  // hook says no; not_found, failed_precondition, invalid_argument for what the template comes to.
  [[nodiscard]] ProvisionedDevice provision(const Asking& asking, const AskHook& hook);

  // RegisterThing: the same for an operator, whose template needs no token.
  [[nodiscard]] RegisteredResources register_thing(
      const std::string& body, const std::map<std::string, std::string>& parameters);

  // Certificates that nobody has taken in time, and claims that are over; at most `limit`.
  std::int64_t remove_expired(std::int64_t limit);

 private:
  enum class Takeover : std::uint8_t { refused, allowed };
  [[nodiscard]] OfferedCertificate offer(const std::string& csr_pem, std::string private_key_pem);
  void make_policies(store::Transaction& tx, Provisioning& wanted) const;
  // Answers whether devices have to be told.
  bool settle(store::Transaction& tx, const Provisioning& wanted, const std::string& certificate,
              Takeover takeover) const;
  [[nodiscard]] bool settle_thing(store::Transaction& tx, const ThingWish& wish,
                                  Takeover takeover) const;

  store::Database& database_;
  const Certificates& certificates_;
  IotPolicies& policies_;
  const ProvisioningTemplates& templates_;
  Outbox& outbox_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
