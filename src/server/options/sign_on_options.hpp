// SPDX-License-Identifier: Apache-2.0
// Single sign-on to the console. Plain values.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace andon::server {

struct SignOnOptions {
  std::string issuer;  // empty: none
  std::string client;
  std::string secret;              // a file with the client's secret; empty: it has none
  std::vector<std::string> roles;  // ARNs
};

void add_sign_on_options(CLI::App& app, SignOnOptions& options);
// Throws options::UsageError.
void check_sign_on_options(const SignOnOptions& options);

// Of the file; empty: the client has none. Throws as reading the file, and invalid_argument.
[[nodiscard]] std::string sign_on_secret_of(const SignOnOptions& options);

}  // namespace andon::server
