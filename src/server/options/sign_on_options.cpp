// SPDX-License-Identifier: Apache-2.0
#include "server/options/sign_on_options.hpp"

#include "base/text/split.hpp"
#include "server/options/option_shapes.hpp"
#include "wire/http/url.hpp"

namespace andon::server {
namespace {

constexpr std::size_t kMostRoles = 20;

}  // namespace

void add_sign_on_options(CLI::App& app, SignOnOptions& options) {
  add_value(app, "--sign-on", options.issuer, "ISSUER",
            "An OpenID provider (its issuer) at which people may sign in to the console; IAM "
            "must know it, too (create-open-id-connect-provider)");
  add_value(app, "--sign-on-client", options.client, "ID", "The console's client id there");
  add_value(app, "--sign-on-secret", options.secret, "FILE",
            "File with the client's secret; without one it is a public client");
  add_value(app, "--sign-on-role", options.roles, "ARN",
            "A role that may be taken so; who gets which its trust policy says");
}

void check_sign_on_options(const SignOnOptions& options) {
  if (options.issuer.empty()) {
    if (!options.client.empty() || !options.secret.empty() || !options.roles.empty()) {
      refuse(
          "--sign-on-client, --sign-on-secret and --sign-on-role are for --sign-on, which is "
          "missing");
    }
    return;
  }
  if (!options.issuer.starts_with("https://") || !wire::read_url(options.issuer)) {
    refuse("--sign-on '" + options.issuer + "' must be an issuer, https://...");
  }
  if (options.client.empty()) refuse("--sign-on needs --sign-on-client, its name there");
  if (options.roles.empty() || options.roles.size() > kMostRoles) {
    refuse("--sign-on needs --sign-on-role, the ARNs of 1 to 20 roles that may be taken");
  }
  for (const std::string& role : options.roles) {
    if (!role.starts_with("arn:aws:iam::") || role.find(":role/") == std::string::npos) {
      refuse("--sign-on-role '" + role + "' is no ARN of a role (aws iam get-role)");
    }
  }
  check_option("--sign-on-secret", [&] { (void)sign_on_secret_of(options); });
}

std::string sign_on_secret_of(const SignOnOptions& options) {
  if (options.secret.empty()) return {};
  constexpr std::size_t kMostSecret = 4096;
  const std::string text = base::read_file(options.secret, kMostSecret);
  const std::string secret(base::trim(text, " \t\r\n"));
  if (!secret.empty()) return secret;
  throw base::Error(base::ErrorCode::invalid_argument, "'" + options.secret + "' is empty");
}

}  // namespace andon::server
