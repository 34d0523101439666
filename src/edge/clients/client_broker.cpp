// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/client_broker.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "base/log/log.hpp"
#include "broker/access/refusal_report.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

constexpr milliseconds kLongestTimer{std::chrono::hours{24}};
constexpr milliseconds kShortestTimer{std::chrono::minutes{1}};
constexpr std::size_t kDigestBytes = 64;
constexpr std::string_view kAgentClientId = "andon-edge";

bool is_broker(std::string_view component) {
  return component == kMoquette || component == kEmqx;
}

}  // namespace

ClientBroker::ClientBroker(Parts parts)
    : parts_(std::move(parts)),
      files_(parts_.layout),
      registry_({parts_.loop, files_.list_file(), parts_.ask_for_clients,
                 [this] {
                   refresh();
                   tell_authority();
                 },
                 [this](ComponentNote note) { parts_.note(kClientAuth, std::move(note)); }}),
      started_(base::read_file_if_exists(files_.started_file(), kDigestBytes).value_or("")),
      worker_(parts_.loop) {}

ClientBroker::~ClientBroker() {
  parts_.loop.cancel(rotation_);
}

std::string ClientBroker::broker_in_set() const {
  for (const std::string_view one : {kMoquette, kEmqx}) {
    if (parts_.configuration(one) != nullptr) return std::string(one);
  }
  return {};
}

ClientBrokerSettings ClientBroker::broker_settings(const std::string& component) const {
  const json::object& configuration = *parts_.configuration(component);
  return component == kEmqx ? read_emqx_settings(configuration)
                            : read_moquette_settings(configuration);
}

void ClientBroker::fail(std::string_view component, const Error& error) {
  const bool is_known = problem_ && problem_->message() == error.message();
  problem_ = error;
  if (is_known) return;
  base::log_warning("client devices cannot be served as configured",
                    {{"component", std::string(component)}, {"why", error.message()}});
  noted_ = std::string(component);
  parts_.note(component, {NoteCode::client_devices_not_served, error.message()});
}

void ClientBroker::forget_problem() {
  problem_.reset();
  if (!noted_.empty()) parts_.note(std::exchange(noted_, ""), {});
}

std::optional<ClientBroker::Wanted> ClientBroker::wanted() {
  const json::object* const configuration = parts_.configuration(kClientAuth);
  Wanted wanted;
  wanted.component = broker_in_set();
  std::string_view about = kClientAuth;
  try {
    ClientAuthSettings settings;
    if (configuration != nullptr) settings = read_client_auth_settings(*configuration);
    auth_.reset();
    if (configuration != nullptr) auth_ = settings;
    wanted.wish.auth = std::move(settings);
    about = wanted.component;
    if (!wanted.component.empty()) wanted.wish.broker = broker_settings(wanted.component);
    wanted.wish.hosts = parts_.addresses();
  } catch (const Error& error) {
    fail(about, error);
    return std::nullopt;
  }
  wanted.wish.clients = registry_.list();
  wanted.wish.component_user = parts_.component_user;
  wanted.wish.now = parts_.clock.now();
  wanted.key = wanted.component + '\n' + std::to_string(registry_.generation()) + '\n';
  for (const std::string_view one : {kClientAuth, std::string_view(wanted.component)}) {
    const json::object* const text = one.empty() ? nullptr : parts_.configuration(one);
    wanted.key += (text == nullptr ? "" : base::to_text(*text)) + '\n';
  }
  for (const std::string& host : wanted.wish.hosts) wanted.key += host + '\n';
  return wanted;
}

void ClientBroker::refresh() {
  if (parts_.configuration(kClientAuth) == nullptr && broker_in_set().empty()) return end();
  std::optional<Wanted> now = wanted();
  if (!now) return;
  registry_.start(now->wish.auth.trusted_for);
  if (now->key == ready_key_) forget_problem();  // what was wrong was taken back
  if (!registry_.is_read() || is_preparing_ || now->key == tried_) return;
  prepare(*std::move(now));
}

void ClientBroker::end() {
  auth_.reset();
  registry_.stop();
  disconnect();
  parts_.loop.cancel(std::exchange(rotation_, 0));
  tried_.clear();
  ready_.reset();
  ready_key_.clear();
  forget_problem();
}

void ClientBroker::prepare(Wanted wanted) {
  is_preparing_ = true;
  tried_ = wanted.key;
  const auto files = std::make_shared<BrokerFiles::Prepared>();
  const auto wish = std::make_shared<const Wanted>(std::move(wanted));
  worker_.run(
      [files, wish, all = files_] {
        if (wish->component.empty()) {
          files->authority_pem = all.authority(wish->wish.now).certificate_pem;
          files->rotates_at = wish->wish.now + wish->wish.auth.certificate_lifetime / 2;
        } else {
          *files = all.prepare(wish->wish);
        }
      },
      [this, files, wish](const std::exception_ptr& error) { prepared(*wish, *files, error); });
}

void ClientBroker::prepared(const Wanted& wanted, const BrokerFiles::Prepared& files,
                            const std::exception_ptr& error) {
  is_preparing_ = false;
  try {
    if (error) std::rethrow_exception(error);
    const bool is_other_authority = !authority_.empty() && authority_ != files.authority_pem;
    authority_ = files.authority_pem;
    ready_ = files;
    ready_key_ = wanted.key;
    forget_problem();
    rotate_later(files.rotates_at);
    tell_authority();
    if (is_other_authority) parts_.on_certificate_due();
  } catch (const Error& wrong) {
    fail(wanted.component.empty() ? kClientAuth : std::string_view(wanted.component), wrong);
  }
  refresh();  // it may be another wish by now
  if (is_preparing_) return;
  follow(wanted);
}

// What is on the disk is what is wanted, or cannot be had.
void ClientBroker::follow(const Wanted& wanted) {
  const std::string waiting = std::exchange(waiting_, "");
  if (!waiting.empty()) parts_.let_start(waiting);
  if (wanted.component.empty() || !ready_ || ready_key_ != wanted.key) return;
  connect(wanted);
  if (waiting.empty() && parts_.is_up(wanted.component) && ready_->digest != started_) {
    base::log_info("the broker of client devices starts anew, for another certificate or port");
    parts_.restart(wanted.component);
  }
}

void ClientBroker::rotate_later(base::Timestamp when) {
  parts_.loop.cancel(rotation_);
  const auto rest = std::chrono::duration_cast<milliseconds>(when - parts_.clock.now());
  const bool is_due_then = rest <= kLongestTimer;
  rotation_ =
      parts_.loop.after(std::clamp(rest, kShortestTimer, kLongestTimer), [this, is_due_then, when] {
        rotation_ = 0;
        if (!is_due_then) return rotate_later(when);
        tried_.clear();
        parts_.on_certificate_due();
        refresh();
      });
}

bool ClientBroker::may_start(const std::string& component) {
  if (!is_broker(component)) return true;
  if (component != broker_in_set()) return true;  // check_start() says why not
  refresh();
  if (problem_ && !is_preparing_) return true;  // the same
  if (ready_ && !is_preparing_ && ready_key_ == tried_) return true;
  waiting_ = component;
  return false;
}

void ClientBroker::check_start(const std::string& component) {
  if (!is_broker(component)) return;
  if (component != broker_in_set()) {
    throw Error(ErrorCode::invalid_argument,
                "a device has one broker for client devices: " + broker_in_set() +
                    " is in the deployment, too; take one of them out");
  }
  if (problem_) {
    const Error problem = *std::exchange(problem_, std::nullopt);
    tried_.clear();  // the next attempt looks anew
    throw problem;
  }
  if (!ready_) return;
  started_ = ready_->digest;
  const fs::path path = files_.started_file();
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  base::write_all(file.get(), started_, path);
}

void ClientBroker::connect(const Wanted& wanted) {
  const ClientBrokerSettings& at = wanted.wish.broker;
  if (linked_ == at) return;
  const std::string host = at.address.empty() ? "127.0.0.1" : at.address;
  linked_ = at;
  if (link_) return link_->take({.endpoints = {{host, at.port}}, .proxy = {}, .no_proxy = {}});
  wire::MqttOptions options;
  options.host = host;
  options.port = at.port;
  options.client_id = kAgentClientId;
  options.ca_file = files_.authority_file().string();
  options.certificate_file = files_.agent_certificate().string();
  options.private_key = files_.agent_key().string();
  link_ = parts_.connect(options);
  // One who is refused may be a client device of which the server has not been asked yet.
  link_->subscribe(std::string(broker::kRefusalsTopic), wire::Qos::at_most_once,
                   [this](const wire::MqttMessage&) { registry_.ask_again({}); });
  parts_.on_link(link_.get());
}

void ClientBroker::disconnect() {
  if (!link_) return;
  linked_.reset();
  parts_.on_link(nullptr);
  link_->end();
  // Its end waits for its thread.
  worker_.run([link = std::shared_ptr<MqttLink>(std::move(link_))]() mutable { link.reset(); },
              [](const std::exception_ptr&) {});
}

void ClientBroker::connection_changed(bool is_connected) {
  registry_.connection_changed(is_connected);
}

void ClientBroker::tell_authority() {
  if (authority_.empty() || authority_ == told_ || is_telling_) return;
  is_telling_ = true;
  const auto own = std::make_shared<std::string>(authority_);
  worker_.run(
      [own, tell = parts_.tell_authorities] { tell({*own}); },
      [this, own](const std::exception_ptr& error) {
        is_telling_ = false;
        try {
          if (error) std::rethrow_exception(error);
          told_ = *own;
          base::log_info("told the server this device's CA for client devices");
        } catch (const Error& wrong) {
          // Again with the next answer of the server.
          base::log_warning("client devices may not trust this device", {{"why", wrong.message()}});
        }
      });
}

void ClientBroker::issue(std::function<void(const Issued&, std::exception_ptr)> done) {
  const auto issued = std::make_shared<Issued>();
  std::optional<Wanted> now = wanted();
  const auto wish =
      std::make_shared<const BrokerFiles::Wish>(now ? now->wish : BrokerFiles::Wish{});
  worker_.run(
      [issued, wish, all = files_] {
        issued->certificate = all.issue(*wish);
        issued->authorities = all.authorities();
      },
      [issued, done = std::move(done)](const std::exception_ptr& error) { done(*issued, error); });
}

}  // namespace andon::edge
