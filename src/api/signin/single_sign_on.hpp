// SPDX-License-Identifier: Apache-2.0
// Sign-in at the plant's OpenID provider, in the browser: the authorization code flow with PKCE
// (RFC 7636), state and nonce. What has begun is kept in a cookie of the browser that began it,
// sealed with a key of this process, so nothing waits here for who never comes back, and another
// browser's answer is of no use. Who the token is of, and whether the role takes it, is decided as
// for AssumeRoleWithWebIdentity. Any thread; begin() and finish() ask the provider.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/sts/issuer_client.hpp"
#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::api {

struct SingleSignOnOptions {
  std::string issuer;  // empty: nobody signs in so
  std::string client_id;
  std::string client_secret;       // empty: a public client
  std::vector<std::string> roles;  // ARNs, among which one may choose
  std::string ca_file;             // PEM, whom to believe there; empty: the system's store
};

class SingleSignOn {
 public:
  static constexpr std::chrono::minutes kLasts{10};  // from begin() to finish()

  SingleSignOn(SingleSignOnOptions options, const base::Clock& clock);

  [[nodiscard]] bool is_on() const { return !options_.issuer.empty(); }
  // For the page: {"issuer", "roles"}.
  [[nodiscard]] base::json::object describe() const;

  struct Begun {
    std::string location;  // at the provider
    std::string cookie;    // its value
  };
  // Throws invalid_argument for a role that is not offered, unavailable.
  [[nodiscard]] Begun begin(const std::string& role, const std::string& redirect_uri) const;

  // What the provider has sent the browser back with.
  struct Return {
    std::string code;
    std::string state;
    std::string issuer;  // RFC 9207; may be empty
  };
  struct Token {
    std::string role;
    std::string id_token;
    std::string session_name;
  };
  // Throws permission_denied where it is no answer to what this browser began, or the provider
  // gives no token; unavailable.
  [[nodiscard]] Token finish(const Return& answer, std::string_view cookie,
                             const std::string& redirect_uri) const;

 private:
  [[nodiscard]] base::json::object discovery() const;
  [[nodiscard]] std::string seal(const std::string& text) const;
  [[nodiscard]] std::optional<std::string> unseal(std::string_view cookie) const;
  [[nodiscard]] std::string exchange(const std::string& code, const std::string& verifier,
                                     const std::string& redirect_uri) const;

  const SingleSignOnOptions options_;
  const base::Clock& clock_;
  const IssuerClient client_;
  const std::string key_;
  mutable std::mutex mutex_;  // guards what follows
  mutable base::json::object document_;
  mutable base::Timestamp document_read_;
};

// A session's name, [\w+=,.@-]{2,64}, of what the token says of its owner.
[[nodiscard]] std::string session_name_of(const base::json::object& claims);

}  // namespace andon::api
