// SPDX-License-Identifier: Apache-2.0
#include "api/iot.hpp"

#include <iterator>
#include <utility>

#include "api/iot_rows.hpp"
#include "api/members.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "trust/certificate.hpp"

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

json::value describe_endpoint(const DeviceEndpoints& endpoints, const json::object& input) {
  const std::string type = word_or_empty(
      input, "endpointType", {"iot:Data", "iot:Data-ATS", "iot:CredentialProvider", "iot:Jobs"});
  const std::string address = type == "iot:CredentialProvider"
                                  ? with_port(endpoints.host, endpoints.https_port, 443)
                                  : with_port(endpoints.host, endpoints.mqtt_port, 8883);
  return json::object{{"endpointAddress", address}};
}

json::value create_token(control::ControlPlane& control, const std::string& url,
                         const std::string& ca_fingerprint, const json::object& input) {
  constexpr std::chrono::seconds kLifetime = std::chrono::hours(1);
  const std::chrono::seconds lifetime(
      optional_number(input, "lifetimeSeconds").value_or(kLifetime.count()));
  const control::EnrolmentToken token =
      control.enrolment.issue_token(required_text(input, "thingName"), lifetime);
  const json::object content{{"url", url}, {"ca", ca_fingerprint}, {"secret", token.secret}};
  return json::object{{"token", "andon1." + base::to_base64url(base::to_text(content))},
                      {"thingName", token.thing},
                      {"expiresAt", base::to_iso8601(token.expires)}};
}

}  // namespace

std::vector<Operation> iot_operations(control::ControlPlane& control,
                                      const DeviceEndpoints& endpoints) {
  std::vector<Operation> all = thing_operations(control);
  append(all, thing_group_operations(control));
  append(all, certificate_operations(control));
  all.push_back(iot_row(control, "DescribeEndpoint", "GET", "/endpoint",
                        [endpoints](const control::ControlPlane&, const json::object& input) {
                          return describe_endpoint(endpoints, input);
                        }));
  return all;
}

std::vector<Operation> enrolment_operations(control::ControlPlane& control,
                                            const DeviceEndpoints& endpoints,
                                            const std::string& ca_certificate_pem) {
  const std::string fingerprint = trust::describe_certificate(ca_certificate_pem).fingerprint;
  return {{"andon", "CreateEnrolmentToken", Protocol::rest_json, "POST",
           "/andon/v1/enrolment-tokens", 200,
           [&control, url = endpoints.https_url(), fingerprint](const OperationContext& context) {
             return create_token(control, url, fingerprint, context.input);
           }}};
}

}  // namespace andon::api
