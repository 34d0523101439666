// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/client_operations.hpp"

#include <utility>

#include "base/json/json_reader.hpp"
#include "base/text/id.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::edge {
namespace {

using base::JsonReader;

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kMostPemBytes = 32U << 10U;
constexpr std::size_t kMostTextBytes = 4096;  // of an operation, a resource

}  // namespace

void ClientOperations::add_to(IpcOperations& operations) {
  operations["VerifyClientDeviceIdentity"] = {
      .handle_later = [this](const IpcCall& call, const IpcReply& reply) { verify(call, reply); }};
  operations["GetClientDeviceAuthToken"] = {
      .handle_later = [this](const IpcCall& call, const IpcReply& reply) {
        give_token(call, reply);
      }};
  operations["AuthorizeClientDeviceAction"] = {
      StreamAfterAnswer::closes, [this](const IpcCall& call) { return authorize(call); }};
  operations["SubscribeToCertificateUpdates"] = {
      StreamAfterAnswer::stays_open, [this](const IpcCall& call) { return subscribe(call); }};
}

void ClientOperations::require(const IpcCall& call) const {
  policy_.require(call.component, {kClientAuth, "aws.greengrass#" + call.operation, "*"});
  static_cast<void>(settings());
}

const ClientAuthSettings& ClientOperations::settings() const {
  if (const ClientAuthSettings* const found = broker_.auth()) return *found;
  throw IpcError("ServiceError", std::string(kClientAuth) +
                                     " is not on this device: deploy it, or have the component "
                                     "depend on it");
}

std::optional<std::string> ClientOperations::fingerprint_of(const std::string& pem) const {
  if (pem.empty() || pem.size() > kMostPemBytes) return std::nullopt;
  try {
    const trust::CertificateInfo info = trust::describe_certificate(pem);
    const base::Timestamp now = clock_.now();
    if (info.not_before > now || info.not_after < now) return std::nullopt;
    return info.fingerprint;
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

void ClientOperations::look_up(const std::string& certificate_pem, const Found& found) {
  const auto fingerprint = fingerprint_of(certificate_pem);
  if (!fingerprint) return found(std::nullopt);
  if (auto thing = broker_.registry().thing_of(*fingerprint)) return found(std::move(thing));
  broker_.registry().ask_again([this, alive = alive_, found, id = *fingerprint] {
    if (*alive) found(broker_.registry().thing_of(id));
  });
}

void ClientOperations::verify(const IpcCall& call, const IpcReply& reply) {
  require(call);
  const JsonReader request(call.request, "VerifyClientDeviceIdentity request");
  const std::string pem = request.child("credential").required_text("clientDeviceCertificate");
  look_up(pem, [reply](const std::optional<std::string>& thing) {
    reply({{"isValidClientDevice", thing.has_value()}}, nullptr);
  });
}

void ClientOperations::give_token(const IpcCall& call, const IpcReply& reply) {
  require(call);
  const JsonReader request(call.request, "GetClientDeviceAuthToken request");
  const JsonReader credential = request.child("credential");
  const JsonReader mqtt = credential.child("mqttCredential");
  static_cast<void>(mqtt.required_text("clientId"));
  const std::string pem = mqtt.required_text("certificatePem");
  look_up(pem, [this, reply, pem](const std::optional<std::string>& thing) {
    const auto fingerprint = fingerprint_of(pem);
    if (!thing || !fingerprint || broker_.auth() == nullptr) {
      return reply({}, std::make_exception_ptr(
                           IpcError("InvalidCredentialError",
                                    "the certificate is none of a client device of this device")));
    }
    reply({{"clientDeviceAuthToken", make_token(*thing, *fingerprint)}}, nullptr);
  });
}

// Where they are too many, the one that nobody has used for longest goes.
std::string ClientOperations::make_token(const std::string& thing, const std::string& fingerprint) {
  while (!ages_.empty() && sessions_.size() >= settings().most_tokens) {
    sessions_.erase(ages_.front());
    ages_.pop_front();
  }
  std::string token = base::random_text(kTokenBytes, "abcdefghijklmnopqrstuvwxyz0123456789");
  ages_.push_back(token);
  sessions_[token] = {thing, fingerprint, std::prev(ages_.end())};
  return token;
}

json::object ClientOperations::authorize(const IpcCall& call) {
  require(call);
  const JsonReader request(call.request, "AuthorizeClientDeviceAction request");
  const std::string token = request.required_text("clientDeviceAuthToken");
  const std::string operation = request.required_text("operation");
  const std::string resource = request.required_text("resource");
  if (operation.size() > kMostTextBytes || resource.size() > kMostTextBytes) {
    throw invalid_arguments("operation and resource have at most 4096 bytes");
  }
  const auto session = sessions_.find(token);
  const bool holds =
      session != sessions_.end() &&
      broker_.registry().thing_of(session->second.fingerprint) == session->second.thing;
  if (!holds) {
    throw IpcError("InvalidClientDeviceAuthTokenError",
                   "the token is not known any more, or its client device is no longer one of this "
                   "device: ask for another with GetClientDeviceAuthToken");
  }
  ages_.splice(ages_.end(), ages_, session->second.age);
  return {{"isAuthorized", settings().groups.allows(session->second.thing, operation, resource)}};
}

json::object ClientOperations::subscribe(const IpcCall& call) {
  require(call);
  const JsonReader request(call.request, "SubscribeToCertificateUpdates request");
  const std::string type = request.child("certificateOptions").required_text("certificateType");
  if (type != "SERVER") throw invalid_arguments("certificateType must be SERVER");
  const std::uint64_t id = next_subscriber_++;
  subscribers_->insert({id, call.stream});
  call.stream->on_close([subscribers = subscribers_, id] { subscribers->erase(id); });
  send_certificate(call.stream);
  return {};
}

void ClientOperations::certificate_is_due() {
  for (const auto& [id, stream] : Subscribers(*subscribers_)) send_certificate(stream);
}

// The event follows the answer: a certificate takes a moment.
void ClientOperations::send_certificate(const std::weak_ptr<IpcStream>& stream) {
  broker_.issue([stream](const ClientBroker::Issued& issued, const std::exception_ptr& error) {
    const auto open = stream.lock();
    if (!open || error) return;
    const IssuedCertificate& made = issued.certificate;
    json::array authorities(issued.authorities.begin(), issued.authorities.end());
    open->send_event("CertificateUpdateEvent",
                     {{"certificateUpdate",
                       json::object{{"privateKey", made.private_key_pem},
                                    {"publicKey", trust::public_key_of(made.private_key_pem)},
                                    {"certificate", made.certificate_pem},
                                    {"caCertificates", std::move(authorities)}}}});
  });
}

}  // namespace andon::edge
