// SPDX-License-Identifier: Apache-2.0
#include "api/device/provisioning/provisioning_messages.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "fleet/messages/limits.hpp"
#include "fleet/names/topic.hpp"
#include "fleet/provisioning/provisioning_message.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using fleet::ProvisioningAsk;
namespace json = base::json;

constexpr std::size_t kMostBytes = 128U << 10U;

json::object parse_question(const std::string& payload) {
  if (payload.empty()) return {};
  if (payload.size() > kMostBytes) {
    throw Error(ErrorCode::invalid_argument, "the message has more than 131072 bytes");
  }
  json::value value = base::parse_json(payload, "message", fleet::kFromDevice);
  if (!value.is_object()) {
    throw Error(ErrorCode::invalid_argument, "the message must be a JSON object");
  }
  return std::move(value.get_object());
}

json::object offered(const control::OfferedCertificate& certificate) {
  json::object reply{{"certificateId", certificate.id},
                     {"certificatePem", certificate.pem},
                     {"certificateOwnershipToken", certificate.ownership_token}};
  if (!certificate.private_key_pem.empty()) reply["privateKey"] = certificate.private_key_pem;
  return reply;
}

json::object provisioned(const control::ProvisionedDevice& device) {
  json::object configuration;
  for (const auto& [key, value] : device.configuration) configuration[key] = value;
  return {{"deviceConfiguration", std::move(configuration)}, {"thingName", device.thing}};
}

control::AuditEvent begun(const ProvisioningParts& parts,
                          const fleet::ProvisioningQuestion& question, ProvisioningAsk ask) {
  control::AuditEvent event{.time = parts.audit.now(),
                            .via = std::string(control::audit_via::kBroker),
                            .principal = "cert/" + question.certificate,
                            .name = question.client_id,
                            .service = "iot"};
  event.operation = ask == ProvisioningAsk::create_keys       ? "CreateKeysAndCertificate"
                    : ask == ProvisioningAsk::create_from_csr ? "CreateCertificateFromCsr"
                                                              : "RegisterThing";
  event.detail = question.topic;
  return event;
}

json::object reply_to(const ProvisioningParts& parts, control::AuditEvent& event,
                      const fleet::ProvisioningQuestion& question,
                      const fleet::ProvisioningTopic& topic, const json::object& asked) {
  control::ControlPlane& control = parts.control;
  if (topic.ask != ProvisioningAsk::provision) {
    const control::OfferedCertificate certificate =
        topic.ask == ProvisioningAsk::create_keys
            ? control.provisioner.offer_keys()
            : control.provisioner.offer(fleet::read_csr_question(asked));
    event.resources.push_back(control.arns.certificate(certificate.id));
    return offered(certificate);
  }
  // The broker holds claims to their template; but what it let through may be over by now.
  const auto claimed = control.provisioner.template_of_claim(question.certificate);
  if (claimed && *claimed != topic.template_name) {
    throw Error(ErrorCode::permission_denied, "the claim is for template \"" + *claimed + "\"");
  }
  fleet::ProvisionQuestion read = fleet::read_provision_question(asked);
  const control::ProvisionedDevice device =
      control.provisioner.provision({.template_name = topic.template_name,
                                     .ownership_token = read.ownership_token,
                                     .parameters = std::move(read.parameters),
                                     .client_id = question.client_id,
                                     .claim = question.certificate},
                                    parts.hook);
  event.resources.push_back(control.arns.thing(device.thing));
  return provisioned(device);
}

json::object refusal(const Error& error, const std::string& topic) {
  const auto refuse = [&](int status, std::string_view code) {
    return fleet::make_provisioning_refusal(status, code, error.message());
  };
  switch (error.code()) {
    case ErrorCode::invalid_argument:
      return refuse(400, "InvalidParameters");
    case ErrorCode::permission_denied:
      return refuse(401, "Unauthorized");
    case ErrorCode::not_found:
      return refuse(404, "ResourceNotFound");
    case ErrorCode::already_exists:
    case ErrorCode::conflict:
    case ErrorCode::failed_precondition:
      return refuse(409, "ResourceConflict");
    case ErrorCode::resource_exhausted:
      return refuse(429, "RequestThrottled");
    case ErrorCode::deadline_exceeded:
    case ErrorCode::unavailable:
      return refuse(503, "ServiceUnavailable");
    default:
      base::log_error("provisioning failed", {{"topic", topic}, {"error", error.message()}});
      return fleet::make_provisioning_refusal(500, "InternalError",
                                              "a defect of the server: see its log");
  }
}

}  // namespace

void answer_provisioning(const ProvisioningParts& parts, const std::string& topic,
                         const std::string& payload) {
  const auto question = fleet::parse_question_topic(topic);
  const auto read = question ? fleet::parse_provisioning_topic(question->topic) : std::nullopt;
  if (!read) return;
  control::AuditEvent event = begun(parts, *question, read->ask);
  json::object reply;
  auto answer = fleet::Answer::rejected;
  const auto refuse = [&](const Error& error) {
    base::log_warning(
        "a device is not provisioned",
        {{"client", question->client_id}, {"topic", question->topic}, {"reason", error.message()}});
    reply = refusal(error, question->topic);
    event.outcome = error.code() == ErrorCode::permission_denied ? control::AuditOutcome::denied
                                                                 : control::AuditOutcome::error;
    event.error_code = base::JsonReader(reply, "").string("errorCode");
    parts.audit.note_refusal(event);
  };
  try {
    reply = reply_to(parts, event, *question, *read, parse_question(payload));
    parts.audit.write(event);
    answer = fleet::Answer::accepted;
  } catch (const Error& error) {
    refuse(error);
  } catch (const std::exception& error) {
    refuse(Error(ErrorCode::internal, error.what()));
  }
  parts.notifier.publish(
      fleet::delivery_topic({.client_id = question->client_id,
                             .topic = fleet::answer_topic(question->topic, answer)}),
      base::to_text(reply));
}

}  // namespace andon::api
