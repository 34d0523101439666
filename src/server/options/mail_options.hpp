// SPDX-License-Identifier: Apache-2.0
// The mail server for what rules send to addresses. Plain values.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace andon::server {

struct MailServerOptions {
  std::string url;  // "smtp://host:587"; empty: no mails
  std::string from;
  std::string login;            // a file with user and password, a line each; empty: none
  std::vector<std::string> to;  // who may get mails; none: those of the domain of `from`
  std::string ca_file;          // PEM, whom to believe there; empty: the system's store
  bool is_plain = false;        // without TLS
};

void add_mail_options(CLI::App& app, MailServerOptions& options);
// Throws options::UsageError.
void check_mail_options(const MailServerOptions& options);

struct MailLogin {
  std::string user;  // empty: nobody signs in
  std::string password;
};
// Of the file. Throws invalid_argument, and what reading it throws.
[[nodiscard]] MailLogin mail_login_of(const MailServerOptions& options);

}  // namespace andon::server
