// SPDX-License-Identifier: Apache-2.0
// Deliveries as mails (targets arn:aws:andon:REGION:ACCOUNT:mail/ADDRESS): one after the other, by
// a thread of its own, to the server's mail server. Only addresses that the server's options name
// get any. Any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/time/time.hpp"
#include "events/delivery/delivery.hpp"
#include "wire/smtp/smtp_client.hpp"

namespace andon::api {

struct MailOptions {
  wire::SmtpOptions server;  // without a URL nothing is sent
  std::string from;
  std::vector<std::string> to;  // addresses, and "@domain"; none: those of the domain of `from`
};

// Subject and text: what the target's input says, which is the event itself or what its
// InputTransformer has made of it.
struct MailText {
  std::string subject;
  std::string text;
};
[[nodiscard]] MailText mail_text_of(const events::Delivery& delivery);

[[nodiscard]] bool may_be_mailed(const MailOptions& options, const std::string& address);

class Mailer {
 public:
  static constexpr std::size_t kMostWaiting = 64;

  Mailer(MailOptions options, const base::Clock& clock);
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;
  // What waits is answered as failed: it is delivered by the next start.
  ~Mailer();

  // Answers later. Throws permission_denied, unsupported (there is no mail server).
  void send(const std::string& address, const events::Delivery& delivery,
            const events::Reply& reply);

 private:
  struct Waiting {
    wire::Mail mail;
    events::Reply reply;
  };
  void work();
  [[nodiscard]] events::Outcome deliver(const wire::Mail& mail) const;

  const MailOptions options_;
  const base::Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  bool is_stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace andon::api
