// SPDX-License-Identifier: Apache-2.0
#include "api/targets/mailer.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_members.hpp"
#include "base/text/ascii.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using events::Outcome;

// "gone" of arn:aws:events:...:rule/gone.
std::string name_of(const std::string& arn) {
  return arn.substr(arn.rfind('/') + 1);
}

// What the event is about, in a few words: "thingName: line-1, state: gone".
std::string gist_of(const base::json::object& event) {
  constexpr std::size_t kMostMembers = 6;
  constexpr std::size_t kMostWord = 60;
  const auto* const detail = event.if_contains("detail");
  if (detail == nullptr || !detail->is_object()) return {};
  std::string gist;
  std::size_t count = 0;
  for (const auto& [name, value] : detail->get_object()) {
    if (!value.is_string() || value.get_string().size() > kMostWord) continue;
    if (value.get_string().starts_with("arn:")) continue;  // there is no room for it
    if (count++ == kMostMembers) break;
    gist += (gist.empty() ? "" : ", ") + std::string(name) + ": " + std::string(value.get_string());
  }
  return gist;
}

}  // namespace

MailText mail_text_of(const events::Delivery& delivery) {
  const std::string rule = name_of(delivery.source_arn);
  const std::string sent_by = "\n\n-- \nSent by andon for " + delivery.source_arn + "\n";
  base::json::value input;
  try {
    input = base::parse_json(delivery.input, "the target's input", {.max_depth = 1000});
  } catch (const Error&) {  // a text that an InputTransformer has made
    return {"[andon] " + rule, delivery.input + sent_by};
  }
  if (const auto* const text = input.if_string()) {
    return {"[andon] " + rule, std::string(*text) + sent_by};
  }
  const auto* const event = input.if_object();
  if (event == nullptr || !event->contains("detail-type")) {
    return {"[andon] " + rule, base::to_pretty_text(input) + sent_by};
  }
  const std::string gist = gist_of(*event);
  return {"[andon] " + rule + ": " + base::text_at(*event, "detail-type") +
              (gist.empty() ? "" : " (" + gist + ")"),
          base::text_at(*event, "detail-type") + "\n" + base::text_at(*event, "time") + "\n" +
              gist + "\n\n" + base::to_pretty_text(input) + sent_by};
}

bool may_be_mailed(const MailOptions& options, const std::string& address) {
  if (!wire::is_mail_address(address)) return false;
  const std::string domain = address.substr(address.find('@'));
  if (options.to.empty()) {
    return base::equal_ignoring_case(domain, options.from.substr(options.from.find('@')));
  }
  return std::ranges::any_of(options.to, [&](const std::string& one) {
    return base::equal_ignoring_case(one, one.starts_with('@') ? domain : address);
  });
}

Mailer::Mailer(MailOptions options, const base::Clock& clock)
    : options_(std::move(options)), clock_(clock) {
  if (!options_.server.url.empty()) thread_ = std::thread([this] { work(); });
}

Mailer::~Mailer() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Mailer::send(const std::string& address, const events::Delivery& delivery,
                  const events::Reply& reply) {
  if (options_.server.url.empty()) {
    throw Error(
        ErrorCode::unsupported,
        "this server sends no mails: andon-server run --mail-server smtp://HOST --mail-from "
        "ADDRESS");
  }
  if (!may_be_mailed(options_, address)) {
    throw Error(ErrorCode::permission_denied,
                "'" + address.substr(0, wire::kMostMailAddress) +
                    "' gets no mails from this server: --mail-to names who does");
  }
  MailText text = mail_text_of(delivery);
  wire::Mail mail{.from = options_.from,
                  .to = address,
                  .subject = std::move(text.subject),
                  .text = std::move(text.text),
                  .id = delivery.token};
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMostWaiting) {
      throw Error(ErrorCode::unavailable, "too many mails wait for the mail server");
    }
    waiting_.push_back({std::move(mail), reply});
  }
  changed_.notify_all();
}

Outcome Mailer::deliver(const wire::Mail& mail) const {
  try {
    wire::send_mail(options_.server, mail, clock_.now());
    return {};
  } catch (const Error& error) {
    const bool is_final = error.code() == ErrorCode::permission_denied;
    return {is_final ? Outcome::Kind::refused : Outcome::Kind::failed,
            is_final ? "REFUSED_BY_MAIL_SERVER" : "MAIL_SERVER_UNAVAILABLE", error.message()};
  }
}

void Mailer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) break;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    next.reply(deliver(next.mail));
    lock.lock();
  }
  std::deque<Waiting> left = std::move(waiting_);
  lock.unlock();
  for (const Waiting& one : left) {
    one.reply({Outcome::Kind::failed, "MAIL_SERVER_UNAVAILABLE", "the server ends"});
  }
}

}  // namespace andon::api
