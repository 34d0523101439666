// SPDX-License-Identifier: Apache-2.0
#include "edge/provision.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "trust/certificate.hpp"
#include "wire/http_client.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kTokenPrefix = "andon1.";
constexpr std::chrono::seconds kEnrolTimeout{30};

Error bad_token(std::string_view why) {
  return Error(ErrorCode::invalid_argument,
               "the enrolment token cannot be used: " + std::string(why) +
                   "; copy the whole token as the operator got it, or ask for a new one");
}

// The key that a provisioning that was cut off has made, or a new one.
std::string keep_or_make_key(const Layout& layout) {
  if (auto key = base::read_file_if_exists(private_key_file(layout), 1U << 16U)) return *key;
  std::string key = trust::make_private_key();
  base::write_file_atomically(private_key_file(layout), key, 0600);
  return key;
}

std::string fetch_ca(const EnrolmentToken& token) {
  wire::HttpClientOptions options;
  options.verify_server = false;  // what comes is checked against the token's fingerprint
  wire::HttpClient client(options);
  wire::OutgoingRequest request;
  request.url = token.url + "/andon/v1/ca.pem";
  request.timeout = kEnrolTimeout;
  request.max_response_bytes = 1U << 20U;
  const wire::IncomingResponse response = client.send(request);
  if (response.status != 200) {
    throw Error(ErrorCode::unavailable, token.url + " did not give its CA certificate (HTTP " +
                                            std::to_string(response.status) + ")");
  }
  if (trust::describe_certificate(response.body).fingerprint != token.ca_fingerprint) {
    throw Error(ErrorCode::data_corrupted,
                "the server at " + token.url +
                    " has another CA than the token names; nothing was sent to it. Somebody may "
                    "be in between, or the token is of another server");
  }
  return response.body;
}

json::value enrol(const EnrolmentToken& token, const fs::path& ca, const std::string& csr) {
  wire::HttpClientOptions options;
  options.ca_file = ca.string();
  wire::HttpClient client(options);
  wire::OutgoingRequest request;
  request.method = "POST";
  request.url = token.url + "/andon/v1/enrol";
  request.headers.add("Content-Type", "application/json");
  request.body = base::to_text(json::object{{"secret", token.secret}, {"csr", csr}});
  request.timeout = kEnrolTimeout;
  request.max_response_bytes = 1U << 20U;
  const wire::IncomingResponse response = client.send(request);
  if (response.status == 403) {
    throw Error(ErrorCode::permission_denied,
                "the server refused the enrolment token: it was used by another device, is over, "
                "or is not known; ask the operator for a new one");
  }
  if (response.status != 200) {
    throw Error(response.status >= 500 ? ErrorCode::unavailable : ErrorCode::failed_precondition,
                "enrolment at " + token.url + " failed (HTTP " + std::to_string(response.status) +
                    "): " + response.body.substr(0, 500));
  }
  return base::parse_json(response.body, "enrolment answer");
}

}  // namespace

EnrolmentToken parse_enrolment_token(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  if (text.substr(0, kTokenPrefix.size()) != kTokenPrefix) {
    throw bad_token("it does not start with 'andon1.'");
  }
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

DeviceConfig provision(const Layout& layout, const EnrolmentToken& token) {
  layout.make();
  const base::FileLock lock(layout.lock());
  if (const auto existing = load_device_config(layout)) {
    const std::string ca = base::read_file(ca_file(layout), 1U << 20U);
    if (trust::describe_certificate(ca).fingerprint == token.ca_fingerprint) return *existing;
    throw Error(ErrorCode::failed_precondition,
                "this device is already '" + existing->thing_name + "' of " +
                    existing->data_plane_url() +
                    "; to provision it for another server, give another --root or remove " +
                    layout.config().string());
  }
  const std::string key = keep_or_make_key(layout);
  base::write_file_atomically(ca_file(layout), fetch_ca(token));
  const json::value answer = enrol(token, ca_file(layout), trust::make_csr(key, "andon-edge"));

  const base::JsonReader reader(answer, "enrolment answer");
  const DeviceConfig config = parse_device_config(answer);
  const std::string certificate = reader.string("certificatePem");
  if (trust::describe_certificate(certificate).common_name != config.thing_name) {
    throw Error(ErrorCode::data_corrupted,
                "the server gave a certificate that is not for '" + config.thing_name + "'");
  }
  base::write_file_atomically(certificate_file(layout), certificate);
  base::write_file_atomically(layout.device_file(), base::to_pretty_text(to_json(config)));
  return config;
}

}  // namespace andon::edge
