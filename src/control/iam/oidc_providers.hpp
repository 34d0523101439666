// SPDX-License-Identifier: Apache-2.0
// OpenID Connect providers whose tokens may take roles: the issuer's URL, which clients' tokens are
// taken. Any thread; each call is one transaction. Errors as in entities.hpp.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct OidcProvider {
  std::string arn;  // arn:aws:iam::<account>:oidc-provider/<issuer without https://>
  std::string url;  // "https://login.plant.example/realms/line"
  std::vector<std::string> clients;
  // Kept and shown; the issuer's server is known by its certificate authority, not by these.
  std::vector<std::string> thumbprints;
  base::Timestamp created;

  [[nodiscard]] std::string issuer() const;  // without "https://": condition keys begin with it
};

class OidcProviders {
 public:
  OidcProviders(store::Database& database, const base::Clock& clock, std::string account)
      : database_(database), clock_(clock), account_(std::move(account)) {}

  static constexpr std::int64_t kMost = 100;
  static constexpr std::size_t kMostClients = 100;
  static constexpr std::size_t kMostThumbprints = 5;

  OidcProvider create(const std::string& url, const std::vector<std::string>& clients,
                      const std::vector<std::string>& thumbprints);
  [[nodiscard]] OidcProvider require(const std::string& arn) const;
  // By the `iss` of a token.
  [[nodiscard]] std::optional<OidcProvider> find_issuer(const std::string& issuer) const;
  [[nodiscard]] std::vector<std::string> list() const;  // ARNs
  void remove(const std::string& arn);
  void add_client(const std::string& arn, const std::string& client);
  void remove_client(const std::string& arn, const std::string& client);
  void set_thumbprints(const std::string& arn, const std::vector<std::string>& thumbprints);

 private:
  [[nodiscard]] std::string arn_of(const std::string& url) const;
  void change(const std::string& arn, const std::function<void(OidcProvider&)>& work);

  store::Database& database_;
  const base::Clock& clock_;
  const std::string account_;
};

}  // namespace andon::control
