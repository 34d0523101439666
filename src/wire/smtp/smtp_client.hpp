// SPDX-License-Identifier: Apache-2.0
// Hands a mail to a mail server (SMTP, by libcurl). Any thread; a call waits for the network, up to
// half a minute.
#pragma once

#include <string>

#include "base/time/time.hpp"
#include "wire/smtp/mail_message.hpp"

namespace andon::wire {

enum class SmtpTls {
  required,  // by STARTTLS, or from the start on (smtps://)
  off,       // a relay in the plant's own network that has none
};

struct SmtpOptions {
  std::string url;   // "smtp://mail.plant.example:587", "smtps://mail.plant.example"
  std::string user;  // empty: nobody signs in
  std::string password;
  SmtpTls tls = SmtpTls::required;
  std::string ca_file;  // PEM, whom to believe; empty: the system's store
};

// Throws invalid_argument for what is no URL of smtp or smtps with a host and, at most, a port.
void check_smtp_url(const std::string& url);

// Throws permission_denied where the server refuses it for good (5xx, the sign-in too), unavailable
// where it may take it later or cannot be reached.
void send_mail(const SmtpOptions& options, const Mail& mail, base::Timestamp now);

}  // namespace andon::wire
