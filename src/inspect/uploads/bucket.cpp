// SPDX-License-Identifier: Apache-2.0
#include "inspect/uploads/bucket.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "trust/digests/digest.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;

namespace {

std::string environment(const char* name, std::string otherwise = "") {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::move(otherwise) : std::string(value);
}

// "https://host:8443/" -> "host:8443".
std::string host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find('/')));
}

wire::HttpClientOptions client_options(std::string ca_file) {
  wire::HttpClientOptions options;
  options.ca_file = std::move(ca_file);
  return options;
}

ErrorCode code_of_status(int status) {
  if (status == 401 || status == 403) return ErrorCode::permission_denied;
  if (status == 404) return ErrorCode::not_found;
  return ErrorCode::unavailable;
}

}  // namespace

std::optional<S3Options> s3_options_from_environment() {
  S3Options options;
  options.endpoint = environment("AWS_ENDPOINT_URL_S3");
  options.region = environment("AWS_REGION", environment("AWS_DEFAULT_REGION", "us-east-1"));
  options.ca_file = environment("AWS_CA_BUNDLE");
  options.credentials_url = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  options.authorization_token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (options.endpoint.empty() || options.credentials_url.empty()) return std::nullopt;
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  return options;
}

S3Bucket::S3Bucket(S3Options options, const base::Clock& clock)
    : options_(std::move(options)),
      host_(host_of(options_.endpoint)),
      clock_(clock),
      http_(client_options(options_.ca_file)),
      agent_http_(client_options("")) {}

const wire::Credentials& S3Bucket::credentials() {
  constexpr std::chrono::minutes kMargin{5};
  if (credentials_ && clock_.now() + kMargin < credentials_end_) return *credentials_;
  wire::OutgoingRequest request;
  request.url = options_.credentials_url;
  request.timeout = std::chrono::seconds(10);
  if (!options_.authorization_token.empty()) {
    request.headers.set("Authorization", options_.authorization_token);
  }
  const wire::IncomingResponse response = agent_http_.send(request);
  if (response.status != 200) {
    throw Error(code_of_status(response.status),
                fmt::format("the agent gave no credentials: HTTP {} from {}", response.status,
                            options_.credentials_url));
  }
  const base::json::value value = base::parse_json(response.body, "credentials");
  const base::JsonReader reader(value, "credentials");
  const std::string expiration = reader.string("Expiration");
  const auto end = base::parse_iso8601(expiration);
  if (!end) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("credentials.Expiration is not a time: {}", expiration));
  }
  credentials_ = wire::Credentials{reader.string("AccessKeyId"), reader.string("SecretAccessKey"),
                                   reader.string("Token")};
  credentials_end_ = *end;
  return *credentials_;
}

void S3Bucket::put(const std::string& bucket, const std::string& key, std::string_view content,
                   std::string_view content_type) {
  const std::string target = fmt::format("/{}/{}", base::percent_encode(bucket),
                                         base::percent_encode(key, base::Slash::keep));
  wire::UnsignedRequest request;
  request.method = "PUT";
  request.host = host_;
  request.target = target;
  request.headers.set("Content-Type", std::string(content_type));
  request.payload_sha256 = trust::sha256_hex(content);
  wire::OutgoingRequest outgoing;
  outgoing.method = "PUT";
  outgoing.url = options_.endpoint + target;
  outgoing.headers = wire::sign(request, credentials(), {options_.region, "s3"}, clock_.now());
  outgoing.body = content;
  const wire::IncomingResponse response = http_.send(outgoing);
  if (response.status / 100 == 2) return;
  // They may have been revoked before their time.
  if (response.status == 403) credentials_.reset();
  throw Error(code_of_status(response.status),
              fmt::format("cannot upload {}/{}: HTTP {} from {}: {}", bucket, key, response.status,
                          options_.endpoint, response.body.substr(0, 300)));
}

}  // namespace andon::inspect
