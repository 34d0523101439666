// SPDX-License-Identifier: Apache-2.0
// Consumers: line computers and other systems that read from the broker and write to it, and are no
// device. Each has a certificate of its own, or a name and a password where it cannot do better,
// and may do what its IoT policies allow. Passwords are made here, so that they cannot be guessed;
// what is stored is a hash. Any thread; each call is one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "control/identity/certificates.hpp"
#include "control/iotpolicy/iot_policies.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

enum class ConsumerKind : std::uint8_t { certificate, user };
[[nodiscard]] std::string_view to_string(ConsumerKind kind);

struct Consumer {
  std::string name;
  std::string arn;
  ConsumerKind kind = ConsumerKind::certificate;
  std::string credential;  // the certificate's id; of a user, trust::user_credential()
  std::string principal;   // the ARN that policies are attached to
  base::Timestamp created;
};

// What a consumer is given once.
struct NewConsumer {
  Consumer consumer;
  std::string certificate_pem;  // of a certificate
  std::string private_key_pem;
  std::string password;  // of a user
};

class Consumers {
 public:
  static constexpr std::int64_t kMost = 1000;

  Consumers(store::Database& database, Certificates& certificates, const IotPolicies& policies,
            const base::Clock& clock, Arns arns);

  // not_found for an unknown policy, already_exists, resource_exhausted.
  [[nodiscard]] NewConsumer add(const std::string& name, ConsumerKind kind,
                                const std::vector<std::string>& policies);
  [[nodiscard]] Page<Consumer> list(const PageRequest& page) const;
  [[nodiscard]] std::optional<Consumer> find(const std::string& name) const;
  // With its certificate, which is good for nothing any more. not_found.
  void remove(const std::string& name);
  [[nodiscard]] bool has_users() const;

 private:
  [[nodiscard]] Consumer read(const store::Row& row) const;

  store::Database& database_;
  Certificates& certificates_;
  const IotPolicies& policies_;
  const base::Clock& clock_;
  Arns arns_;
};

}  // namespace andon::control
