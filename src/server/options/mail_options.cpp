// SPDX-License-Identifier: Apache-2.0
#include "server/options/mail_options.hpp"

#include "base/text/split.hpp"
#include "server/options/option_shapes.hpp"
#include "wire/smtp/mail_message.hpp"
#include "wire/smtp/smtp_client.hpp"

namespace andon::server {
namespace {

constexpr std::size_t kMostAddresses = 100;

}  // namespace

void add_mail_options(CLI::App& app, MailServerOptions& options) {
  add_value(app, "--mail-server", options.url, "URL",
            "A mail server for what rules send to addresses: smtp://HOST:587 (STARTTLS) or "
            "smtps://HOST");
  add_value(app, "--mail-from", options.from, "ADDRESS", "The address that these mails come from");
  add_value(app, "--mail-to", options.to, "ADDRESS",
            "Who may get mails: addresses and @DOMAIN; none named: the domain of --mail-from");
  add_value(app, "--mail-login", options.login, "FILE",
            "File with the user of the mail server and the password, a line each");
  add_value(app, "--mail-ca", options.ca_file, "FILE",
            "PEM file with whom to believe there, instead of the system's store");
  app.add_flag("--mail-plain", options.is_plain,
               "The mail server has no TLS: mails go through the network as they are");
}

void check_mail_options(const MailServerOptions& options) {
  if (options.url.empty()) {
    if (!options.from.empty() || !options.login.empty() || !options.to.empty() ||
        !options.ca_file.empty() || options.is_plain) {
      refuse(
          "--mail-from, --mail-to, --mail-login, --mail-ca and --mail-plain are for "
          "--mail-server, which is missing");
    }
    return;
  }
  check_option("--mail-server", [&] { wire::check_smtp_url(options.url); });
  if (!wire::is_mail_address(options.from)) {
    refuse("--mail-from '" + options.from + "' must be the address that mails come from");
  }
  if (options.to.size() > kMostAddresses) refuse("--mail-to may name at most 100 addresses");
  for (const std::string& to : options.to) {
    if (!wire::is_mail_address(to.starts_with('@') ? "x" + to : to)) {
      refuse("--mail-to '" + to + "' is no address, and no @DOMAIN");
    }
  }
  if (options.is_plain && options.url.starts_with("smtps:")) {
    refuse("--mail-plain: smtps:// is never without TLS");
  }
  if (options.is_plain && !options.login.empty()) {
    refuse("--mail-login: a password is not sent without TLS (--mail-plain)");
  }
  check_option("--mail-login", [&] { (void)mail_login_of(options); });
  check_is_file("--mail-ca", options.ca_file);
}

MailLogin mail_login_of(const MailServerOptions& options) {
  if (options.login.empty()) return {};
  constexpr std::size_t kMostLogin = 4096;
  const std::string text = base::read_file(options.login, kMostLogin);
  std::vector<std::string> lines;
  for (const std::string_view line : base::split(text, '\n')) {
    lines.emplace_back(base::trim(line, "\r"));
  }
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.size() != 2 || lines[0].empty() || lines[1].empty()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "'" + options.login +
                          "' must have two lines: the user of the mail server, and the password");
  }
  return {lines[0], lines[1]};
}

}  // namespace andon::server
