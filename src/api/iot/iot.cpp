// SPDX-License-Identifier: Apache-2.0
#include "api/iot/iot.hpp"

#include <iterator>
#include <optional>
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/os/file.hpp"
#include "fleet/provisioning/enrol_line.hpp"
#include "fleet/provisioning/enrolment.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

void append(std::vector<Operation>& all, std::vector<Operation> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// AWS answers a bare host name; the port is added where it is not the one that clients assume.
std::string with_port(const std::string& host, std::uint16_t port, std::uint16_t assumed) {
  return port == assumed ? host : host + ":" + std::to_string(port);
}

json::value describe_endpoint(const DeviceEndpoints& endpoints, const OperationContext& context) {
  const std::string type =
      word_or_empty(context.input, "endpointType",
                    {"iot:Data", "iot:Data-ATS", "iot:CredentialProvider", "iot:Jobs"});
  const std::string address = type == "iot:CredentialProvider"
                                  ? with_port(endpoints.host, endpoints.https_port, 443)
                                  : with_port(endpoints.host, endpoints.mqtt_port, 8883);
  return json::object{{"endpointAddress", address}};
}

// What a fresh machine runs to become the device; nothing where no packages are offered to it.
std::optional<std::string> enrol_line(const EnrolmentOptions& options, const std::string& token,
                                      const std::string& proxy) {
  constexpr std::size_t kMostOfAKey = 64U << 10U;
  if (options.packages.empty()) return std::nullopt;
  const auto key = base::read_file_if_exists(options.packages / "andon.gpg", kMostOfAKey);
  if (!key) return std::nullopt;
  return to_shell(fleet::EnrolLine{options.endpoints.https_url(), *key, options.ca_certificate_pem,
                                   token, proxy});
}

json::value create_token(control::ControlPlane& control, const EnrolmentOptions& options,
                         const std::string& ca_fingerprint, control::RoleAliases* aliases,
                         const OperationContext& context) {
  constexpr std::chrono::seconds kLifetime = std::chrono::hours(1);
  const std::chrono::seconds lifetime(
      optional_number(context.input, "lifetimeSeconds").value_or(kLifetime.count()));
  const std::string alias = text_or_empty(context.input, "roleAlias");
  if (!alias.empty()) {
    if (aliases == nullptr) throw Error(ErrorCode::unsupported, "roleAlias: there are none here");
    (void)aliases->require(alias);
  }
  const std::string proxy = text_or_empty(context.input, "proxy");
  fleet::require_enrol_proxy(proxy);
  const base::JsonReader reader(context.input, "", {.separator = ": "});
  const control::EnrolmentToken token = control.enrolment.issue_token(
      required_text(context.input, "thingName"), lifetime,
      reader.has("policyNames") ? reader.strings("policyNames") : std::vector<std::string>());
  if (!alias.empty()) aliases->give(alias, token.thing);
  const std::string text =
      to_text(fleet::EnrolmentToken{options.endpoints.https_url(), ca_fingerprint, token.secret});
  json::object answer{
      {"token", text}, {"thingName", token.thing}, {"expiresAt", base::to_iso8601(token.expires)}};
  try {
    if (const auto line = enrol_line(options, text, proxy)) answer["line"] = *line;
  } catch (const Error& error) {
    answer["lineRefused"] = error.message();  // the token is good all the same
  }
  return answer;
}

}  // namespace

control::TagMap read_iot_tags(const json::object& input) {
  control::TagMap tags;
  for (const base::JsonReader& tag : base::JsonReader(input, "").children("tags")) {
    tags[tag.string("Key")] = tag.optional_string("Value").value_or("");
  }
  return tags;
}

std::vector<Operation> iot_operations(control::ControlPlane& control,
                                      const DeviceEndpoints& endpoints) {
  std::vector<Operation> all = thing_operations(control);
  append(all, thing_type_operations(control));
  append(all, thing_group_operations(control));
  append(all, indexing_operations(control));
  append(all, iot_tag_operations(control));
  append(all, certificate_operations(control));
  append(all, new_certificate_operations(control));
  append(all, policy_operations(control));
  append(all, policy_target_operations(control));
  append(all, test_authorization_operations(control));
  all.push_back(iot_row(control, "DescribeEndpoint", "GET", "/endpoint",
                        [endpoints](const control::ControlPlane&, const OperationContext& context) {
                          return describe_endpoint(endpoints, context);
                        }));
  return all;
}

std::vector<Operation> enrolment_operations(control::ControlPlane& control,
                                            const EnrolmentOptions& options,
                                            control::RoleAliases* aliases) {
  return {{"andon", "CreateEnrolmentToken", Protocol::rest_json, "POST",
           "/andon/v1/enrolment-tokens", 200,
           [&control, options, aliases,
            fingerprint = trust::describe_certificate(options.ca_certificate_pem).fingerprint](
               const OperationContext& context) {
             return create_token(control, options, fingerprint, aliases, context);
           }}};
}

}  // namespace andon::api
