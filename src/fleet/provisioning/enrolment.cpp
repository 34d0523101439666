// SPDX-License-Identifier: Apache-2.0
#include "fleet/provisioning/enrolment.hpp"

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "fleet/names/arn.hpp"

namespace andon::fleet {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kTokenPrefix = "andon1.";
constexpr std::size_t kMaxTokenBytes = 16U << 10U;

Error bad_token(std::string_view why) {
  return Error(ErrorCode::invalid_argument,
               "the enrolment token cannot be used: " + std::string(why) +
                   "; copy the whole token as the operator got it, or ask for a new one");
}

}  // namespace

std::string to_text(const EnrolmentToken& token) {
  const json::object content{
      {"url", token.url}, {"ca", token.ca_fingerprint}, {"secret", token.secret}};
  return std::string(kTokenPrefix) + base::to_base64url(base::to_text(content));
}

EnrolmentToken parse_enrolment_token(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  if (!text.starts_with(kTokenPrefix)) throw bad_token("it does not start with 'andon1.'");
  if (text.size() > kMaxTokenBytes) throw bad_token("it is longer than any token");
  const auto decoded = base::from_base64url(text.substr(kTokenPrefix.size()));
  if (!decoded) throw bad_token("it is not whole");
  EnrolmentToken token;
  try {
    const json::value value = base::parse_json(*decoded, "token");
    const base::JsonReader reader(value, "token");
    token.url = reader.string("url");
    token.ca_fingerprint = reader.string("ca");
    token.secret = reader.string("secret");
  } catch (const Error&) {
    throw bad_token("it is not whole");
  }
  while (token.url.ends_with('/')) token.url.pop_back();
  if (!token.url.starts_with("https://")) throw bad_token("its server address is not https");
  const auto fingerprint = base::from_hex(token.ca_fingerprint);
  if (!fingerprint || fingerprint->size() != 32) throw bad_token("its CA fingerprint is not whole");
  return token;
}

json::object to_json(const EnrolmentRequest& request) {
  return {{"secret", request.secret}, {"csr", request.csr_pem}};
}

EnrolmentRequest read_enrolment_request(const json::object& object) {
  const base::JsonReader reader(object, "enrolment");
  return {reader.string("secret"), reader.string("csr")};
}

json::object to_json(const RenewalRequest& request) {
  json::object object{{"csr", request.csr_pem}};
  if (!request.certificate_pem.empty()) object["certificatePem"] = request.certificate_pem;
  return object;
}

RenewalRequest read_renewal_request(const json::object& object) {
  const base::JsonReader reader(object, "renewal");
  return {reader.optional_string("certificatePem").value_or(""), reader.string("csr")};
}

json::object to_json(const RenewalAnswer& answer) {
  return {{"certificatePem", answer.certificate_pem}};
}

RenewalAnswer read_renewal_answer(const json::value& value) {
  return {base::JsonReader(value, "renewal answer").string("certificatePem")};
}

std::string Endpoint::https_url() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return "https://" + (is_ipv6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

json::object to_json(const Endpoint& endpoint) {
  return {{"host", endpoint.host}, {"port", endpoint.port}};
}

Endpoint read_endpoint(const base::JsonReader& reader) {
  Endpoint endpoint;
  endpoint.host = reader.string("host");
  const std::int64_t port = reader.integer("port");
  if (endpoint.host.empty() || port < 1 || port > 65535) {
    throw Error(ErrorCode::invalid_argument,
                reader.where() + ": needs a host and a port between 1 and 65535");
  }
  endpoint.port = static_cast<std::uint16_t>(port);
  return endpoint;
}

json::object to_json(const EnrolmentAnswer& answer) {
  json::object object{{"thingName", answer.thing_name},
                      {"certificatePem", answer.certificate_pem},
                      {"caPem", answer.ca_pem},
                      {"mqtt", to_json(answer.mqtt)},
                      {"dataPlane", to_json(answer.data_plane)},
                      {"region", answer.region}};
  if (!answer.role_alias.empty()) object["roleAlias"] = answer.role_alias;
  return object;
}

EnrolmentAnswer read_enrolment_answer(const json::value& value) {
  const base::JsonReader reader(value, "enrolment answer");
  EnrolmentAnswer answer;
  answer.thing_name = reader.string("thingName");
  // It becomes part of topics, paths and file names.
  if (!is_thing_name(answer.thing_name)) {
    throw Error(ErrorCode::invalid_argument,
                "thingName must be 1 to 128 of the characters a-z A-Z 0-9 : _ -");
  }
  answer.certificate_pem = reader.string("certificatePem");
  answer.ca_pem = reader.optional_string("caPem").value_or("");
  answer.mqtt = read_endpoint(reader.child("mqtt"));
  answer.data_plane = read_endpoint(reader.child("dataPlane"));
  answer.region = reader.optional_string("region").value_or("local");
  answer.role_alias = reader.optional_string("roleAlias").value_or("");
  return answer;
}

}  // namespace andon::fleet
