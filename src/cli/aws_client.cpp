// SPDX-License-Identifier: Apache-2.0
#include "cli/aws_client.hpp"

#include <utility>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "trust/digest.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;

std::string host_of(const std::string& url) {
  const std::size_t start = url.find("://");
  return url.substr(start == std::string::npos ? 0 : start + 3);
}

ErrorCode code_of_status(int status) {
  switch (status) {
    case 400:
      return ErrorCode::invalid_argument;
    case 403:
      return ErrorCode::permission_denied;
    case 404:
      return ErrorCode::not_found;
    case 409:
      return ErrorCode::conflict;
    case 429:
      return ErrorCode::resource_exhausted;
    case 500:
      return ErrorCode::internal;
    case 503:
      return ErrorCode::unavailable;
    default:
      return status < 500 ? ErrorCode::failed_precondition : ErrorCode::unavailable;
  }
}

// The text between <tag> and </tag> of an S3 error, which has no attributes and no nesting there.
std::string xml_text(const std::string& body, const std::string& tag) {
  const std::size_t start = body.find("<" + tag + ">");
  const std::size_t end = body.find("</" + tag + ">");
  if (start == std::string::npos || end == std::string::npos || end < start) return "";
  const std::size_t begin = start + tag.size() + 2;
  return body.substr(begin, end - begin);
}

std::string described(const wire::IncomingResponse& response) {
  const std::string status = "HTTP " + std::to_string(response.status);
  if (response.body.starts_with("<")) {
    return xml_text(response.body, "Code") + ": " + xml_text(response.body, "Message");
  }
  try {
    const base::json::value body = base::parse_json(response.body, "the error");
    const base::JsonReader reader(body, "");
    const auto type = response.headers.find("x-amzn-errortype");
    const std::string code =
        type ? std::string(*type) : reader.optional_string("__type").value_or(status);
    const auto message = reader.optional_string("message");
    return code + ": " + message.value_or(reader.optional_string("Message").value_or(""));
  } catch (const Error&) {
    return status + ": " + response.body.substr(0, 200);
  }
}

}  // namespace

Connection read_connection(const base::fs::path& data) {
  const base::json::value server =
      base::parse_json(base::read_file(data / "server.json"), "server.json");
  const base::json::value key =
      base::parse_json(base::read_file(data / "credentials" / "operator.json"), "operator.json");
  const base::JsonReader where(server, "server.json");
  const base::JsonReader who(key, "operator.json");
  return {where.string("api"),
          (data / "ca" / "ca.crt").string(),
          who.string("region"),
          {who.string("accessKeyId"), who.string("secretAccessKey"), ""}};
}

AwsClient::AwsClient(Connection connection, const base::Clock& clock)
    : connection_(std::move(connection)),
      clock_(clock),
      http_(wire::HttpClientOptions{.ca_file = connection_.api_url.starts_with("https:")
                                                   ? connection_.ca_file
                                                   : std::string()}) {}

wire::IncomingResponse AwsClient::send(wire::OutgoingRequest request, std::string_view service,
                                       std::string_view target, std::string_view payload_sha256) {
  request.url = connection_.api_url + std::string(target);
  request.headers =
      wire::sign({.method = request.method,
                  .host = host_of(connection_.api_url),
                  .target = std::string(target),
                  .headers = request.headers,
                  .payload_sha256 = std::string(payload_sha256)},
                 connection_.credentials, {connection_.region, std::string(service)}, clock_.now());
  wire::IncomingResponse response = http_.send(request);
  if (response.status >= 300) {
    throw Error(code_of_status(response.status), described(response));
  }
  return response;
}

base::json::value AwsClient::rest(std::string_view service, std::string_view method,
                                  std::string_view target, const base::json::value& body) {
  wire::OutgoingRequest request;
  request.method = method;
  if (!body.is_null()) {
    request.body = base::to_text(body);
    request.headers.add("Content-Type", "application/json");
  }
  const std::string digest = trust::sha256_hex(request.body);
  const auto response = send(std::move(request), service, target, digest);
  return response.body.empty() ? base::json::value(base::json::object())
                               : base::parse_json(response.body, "the server's answer");
}

base::json::value AwsClient::sagemaker(std::string_view operation, const base::json::value& input) {
  wire::OutgoingRequest request;
  request.method = "POST";
  request.body = base::to_text(input);
  request.headers.add("Content-Type", "application/x-amz-json-1.1");
  request.headers.add("X-Amz-Target", "SageMaker." + std::string(operation));
  const std::string digest = trust::sha256_hex(request.body);
  const auto response = send(std::move(request), "sagemaker", "/", digest);
  return response.body.empty() ? base::json::value(base::json::object())
                               : base::parse_json(response.body, "the server's answer");
}

void AwsClient::create_bucket(std::string_view bucket) {
  try {
    wire::OutgoingRequest request;
    request.method = "PUT";
    send(std::move(request), "s3", "/" + std::string(bucket), trust::sha256_hex(""));
  } catch (const Error& error) {
    if (error.message().find("BucketAlreadyOwnedByYou") == std::string::npos) throw;
  }
}

void AwsClient::put_object(std::string_view bucket, std::string_view key,
                           const base::fs::path& file, const UploadProgress& on_progress) {
  wire::OutgoingRequest request;
  request.method = "PUT";
  request.body_file = file;
  request.on_progress = on_progress;
  request.timeout = std::chrono::minutes{30};
  const std::string target =
      "/" + base::percent_encode(bucket) + "/" + base::percent_encode(key, base::Slash::keep);
  send(std::move(request), "s3", target, trust::sha256_hex_of_file(file));
}

}  // namespace andon::cli
