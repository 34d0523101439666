// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/exports/object_client.hpp"

#include <string_view>
#include <utility>

#include "base/text/encoding.hpp"
#include "base/time/http_date.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;

constexpr std::size_t kMostAnswerBytes = 1U << 20U;
constexpr std::size_t kShownBytes = 300;
constexpr std::chrono::hours kTimeout{6};  // one that stalls ends long before

bool is_of_credentials(const std::string& code) {
  return code == "ExpiredToken" || code == "InvalidAccessKeyId" || code == "InvalidToken" ||
         code == "SignatureDoesNotMatch" || code == "RequestTimeTooSkewed" ||
         code == "RequestExpired";
}

ErrorCode code_of(int status) {
  if (status >= 500 || status == 408 || status == 409 || status == 429 || status / 100 == 3) {
    return ErrorCode::unavailable;
  }
  if (status == 404) return ErrorCode::not_found;
  if (status == 403 || status == 401) return ErrorCode::permission_denied;
  return ErrorCode::invalid_argument;
}

std::string host_of(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  return std::string(url);
}

wire::HttpClientOptions client_options(const std::string& ca_file) {
  wire::HttpClientOptions options;
  options.ca_file = ca_file;
  return options;
}

}  // namespace

std::string xml_element(const std::string& xml, const std::string& tag) {
  const std::size_t begin = xml.find('<' + tag + '>');
  if (begin == std::string::npos) return {};
  const std::size_t from = begin + tag.size() + 2;
  const std::size_t end = xml.find('<', from);
  return end == std::string::npos ? "" : xml.substr(from, end - from);
}

ObjectClient::ObjectClient(const ExportWorld& world)
    : world_(world), http_(client_options(world.ca_file)) {}

wire::IncomingResponse ObjectClient::call(Request request, const std::atomic<bool>& cancelled) {
  std::string target = '/' + base::percent_encode(request.bucket) + '/' +
                       base::percent_encode(request.key, base::Slash::keep);
  if (!request.query.empty()) target += '?' + request.query;
  const base::Timestamp now = clock_.now() + server_ahead_;
  wire::UnsignedRequest unsigned_request;
  unsigned_request.method = request.method;
  unsigned_request.host = host_of(world_.s3_endpoint);
  unsigned_request.target = target;
  unsigned_request.headers = std::move(request.headers);
  unsigned_request.payload_sha256 =
      request.payload_sha256.empty() ? trust::sha256_hex(request.body) : request.payload_sha256;
  wire::OutgoingRequest outgoing;
  outgoing.method = std::move(request.method);
  outgoing.url = world_.s3_endpoint + target;
  outgoing.headers =
      wire::sign(unsigned_request, world_.credentials->get(now), {world_.region, "s3"}, now);
  outgoing.body = std::move(request.body);
  outgoing.body_file = std::move(request.body_file);
  outgoing.timeout = kTimeout;
  outgoing.max_response_bytes = kMostAnswerBytes;
  outgoing.cancelled = &cancelled;
  wire::IncomingResponse response = http_.send(outgoing);
  if (response.status / 100 == 2) return response;

  std::string code = xml_element(response.body, "Code");
  ErrorCode kind = code_of(response.status);
  if (is_of_credentials(code)) {
    kind = ErrorCode::unavailable;
    world_.credentials->drop();
    const auto date = response.headers.find("Date");
    if (const auto told = date ? base::parse_http_date(*date) : std::nullopt) {
      server_ahead_ = *told - clock_.now();
    }
  }
  const std::string why = "cannot put s3://" + request.bucket + '/' + request.key + ": HTTP " +
                          std::to_string(response.status) + ' ' + code + ": " +
                          response.body.substr(0, kShownBytes);
  throw ObjectError(kind, std::move(code), why);
}

}  // namespace andon::edge
