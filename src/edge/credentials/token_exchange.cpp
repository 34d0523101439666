// SPDX-License-Identifier: Apache-2.0
#include "edge/credentials/token_exchange.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr std::string_view kPath = "/2016-11-01/credentialprovider";
constexpr std::chrono::minutes kRenewBefore{5};
// A failure is repeated to those who ask for so long, so that they do not storm the server.
constexpr std::chrono::seconds kKeepFailure{10};
// On loopback a request comes with its connection.
constexpr std::chrono::seconds kRequestDeadline{2};
// As long as the server may take to hand out credentials.
constexpr std::chrono::seconds kAnswerDeadline{60};

wire::LocalHttpAnswer make_answer(int status, const json::object& body) {
  return {status, "application/json", base::to_text(body)};
}

wire::LocalHttpAnswer make_error(int status, std::string_view message) {
  return make_answer(status, {{"message", message}});
}

// Not SO_REUSEADDR: with it every user could listen there while nobody does.
base::UniqueFd hold(std::uint16_t port) {
  base::UniqueFd held(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* plain = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (!held || setsockopt(held.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0 ||
      bind(held.get(), plain, sizeof address) != 0) {
    held.reset();
  }
  return held;
}

bool can_be_had(std::uint16_t port) {
  return port != 0 && hold(port);
}

}  // namespace

TokenExchange::TokenExchange(Parts parts, std::uint16_t port)
    : parts_(std::move(parts)),
      server_("127.0.0.1:" + std::to_string(can_be_had(port) ? port : 0),
              [this](const wire::LocalHttpRequest& request, const Reply& reply) {
                take(request, reply);
              },
              {.deadline = kRequestDeadline,
               .answer_deadline = kAnswerDeadline,
               .port = wire::PortUse::shared}),
      held_port_(hold(server_.port())),
      worker_(parts_.loop) {
  parts_.loop.watch(server_.fd(), EPOLLIN, [this](std::uint32_t) { server_.turn(); });
}

TokenExchange::~TokenExchange() {
  parts_.loop.unwatch(server_.fd());
}

void TokenExchange::take(const wire::LocalHttpRequest& request, const Reply& reply) {
  std::string path = request.path;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path != kPath) return reply(make_error(404, "no such path"));
  if (request.method != "GET") return reply(make_error(405, "only GET is possible here"));
  const auto token = request.headers.find("authorization");
  if (token == request.headers.end()) {
    return reply(make_error(400, "the Authorization header is missing"));
  }
  if (!parts_.authenticate(token->second)) {
    return reply(make_error(404, "the token is not known"));
  }
  answer_credentials(reply);
}

bool TokenExchange::are_fresh() const {
  if (!credentials_) return false;
  const auto expires = base::parse_iso8601(credentials_->expiration);
  return expires && parts_.clock.now() + kRenewBefore < *expires;
}

void TokenExchange::answer_credentials(const Reply& reply) {
  if (are_fresh()) {
    return reply(make_answer(200, {{"AccessKeyId", credentials_->access_key_id},
                                   {"SecretAccessKey", credentials_->secret_access_key},
                                   {"Token", credentials_->session_token},
                                   {"Expiration", credentials_->expiration}}));
  }
  if (!failure_.empty() && parts_.loop.now() - failed_at_ < kKeepFailure) {
    return reply(make_error(503, failure_));
  }
  waiting_.push_back(reply);
  if (!std::exchange(fetching_, true)) fetch();
}

void TokenExchange::fetch() {
  worker_.run([this] { fetched_ = parts_.fetch(); },
              [this](const std::exception_ptr& error) { take_fetched(error); });
}

void TokenExchange::forget() {
  credentials_.reset();
  failure_.clear();
  is_outdated_ = fetching_;
}

void TokenExchange::take_fetched(const std::exception_ptr& error) {
  if (std::exchange(is_outdated_, false)) return fetch();
  fetching_ = false;
  failure_.clear();
  if (error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& what) {
      failure_ = what.what();
      failed_at_ = parts_.loop.now();
      base::log_warning("no temporary credentials for components", {{"why", failure_}});
    }
  } else {
    credentials_ = std::move(fetched_);
    if (!are_fresh()) {
      failure_ = "the server's credentials have expired already: compare its clock with this one";
      failed_at_ = parts_.loop.now();
    }
  }
  for (const Reply& reply : std::exchange(waiting_, {})) answer_credentials(reply);
}

}  // namespace andon::edge
