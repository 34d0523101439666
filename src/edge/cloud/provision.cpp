// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/provision.hpp"

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/certificate.hpp"
#include "wire/http/http_client.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds kEnrolTimeout{30};

std::string fetch_ca(const fleet::EnrolmentToken& token, const std::string& proxy) {
  wire::HttpClientOptions options;
  options.proxy = proxy;
  options.verify_server = false;  // what comes is checked against the token's fingerprint
  wire::HttpClient client(options);
  wire::OutgoingRequest request;
  request.url = token.url + std::string(fleet::kCaPath);
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

fleet::EnrolmentAnswer enrol(const fleet::EnrolmentToken& token, const fs::path& ca,
                             const std::string& csr, const std::string& proxy) {
  wire::HttpClientOptions options;
  options.proxy = proxy;
  options.ca_file = ca.string();
  wire::HttpClient client(options);
  wire::OutgoingRequest request;
  request.method = "POST";
  request.url = token.url + std::string(fleet::kEnrolPath);
  request.headers.add("Content-Type", "application/json");
  request.body = base::to_text(to_json(fleet::EnrolmentRequest{token.secret, csr}));
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
  return fleet::read_enrolment_answer(base::parse_json(response.body, "enrolment answer"));
}

}  // namespace

fs::path network_file(const Layout& layout) {
  return layout.config() / "network.json";
}

trust::PrivateKey own_key(const Layout& layout, const std::string& source) {
  if (!source.empty()) return trust::load_private_key(source);
  const fs::path file = private_key_file(layout);
  if (!fs::exists(file)) base::write_file_atomically(file, trust::make_private_key(), 0600);
  return trust::load_private_key(file);
}

base::Error of_another_server(const DeviceConfig& existing, const Layout& layout) {
  return {ErrorCode::failed_precondition,
          "this device is already '" + existing.thing_name + "' of " + existing.data_plane_url() +
              "; to provision it for another server, give another --root or remove " +
              layout.config().string()};
}

DeviceConfig provision(const Layout& layout, const fleet::EnrolmentToken& token,
                       const std::string& key_source, const std::string& proxy) {
  layout.make();
  const base::FileLock lock(layout.lock());
  const std::string token_sha256 = trust::sha256_hex(token.secret);
  const auto existing = load_device_config(layout);
  if (existing) {
    const std::string ca = base::read_file(ca_file(layout), 1U << 20U);
    if (trust::describe_certificate(ca).fingerprint != token.ca_fingerprint) {
      throw of_another_server(*existing, layout);
    }
    if (existing->token_sha256 == token_sha256) return *existing;
  }
  DeviceConfig config;
  config.private_key = key_source.empty() && existing ? existing->private_key : key_source;
  const trust::PrivateKey key = own_key(layout, config.private_key);
  base::write_file_atomically(ca_file(layout), fetch_ca(token, proxy));
  const fleet::EnrolmentAnswer answer =
      enrol(token, ca_file(layout), trust::make_csr(key, "andon-edge"), proxy);
  if (existing && existing->thing_name != answer.thing_name) {
    throw Error(ErrorCode::failed_precondition,
                "the token is for '" + answer.thing_name + "', and this device is '" +
                    existing->thing_name + "': give another --root or remove " +
                    layout.config().string());
  }
  config.thing_name = answer.thing_name;
  config.region = answer.region;
  if (!answer.role_alias.empty()) config.role_alias = answer.role_alias;
  config.mqtt = answer.mqtt;
  config.data_plane = answer.data_plane;
  config.token_sha256 = token_sha256;
  config.proxy = proxy;
  if (trust::describe_certificate(answer.certificate_pem).common_name != config.thing_name) {
    throw Error(ErrorCode::data_corrupted,
                "the server gave a certificate that is not for '" + config.thing_name + "'");
  }
  base::write_file_atomically(certificate_file(layout), answer.certificate_pem);
  fs::remove(network_file(layout));
  save_device_config(layout, config);
  return config;
}

}  // namespace andon::edge
