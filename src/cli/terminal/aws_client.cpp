// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/aws_client.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "fleet/names/reason.hpp"
#include "trust/digests/digest.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::minutes kLongestFunction{20};

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

// AWS's services do not agree on a status for what is there already, nor for what is not there.
ErrorCode code_of(const wire::IncomingResponse& response, bool is_there,
                  std::string_view code = {}) {
  if (code == "ResourceNotFoundException") return ErrorCode::not_found;
  return is_there ? ErrorCode::already_exists : code_of_status(response.status);
}

Error error_of(const wire::IncomingResponse& response) {
  const std::string status = "HTTP " + std::to_string(response.status);
  if (response.body.starts_with("<")) {
    const std::string code = xml_text(response.body, "Code");
    return {code_of(response, code == "BucketAlreadyOwnedByYou"),
            code + ": " + xml_text(response.body, "Message")};
  }
  try {
    const base::json::value body = base::parse_json(response.body, "the error");
    const base::JsonReader reader(body, "");
    if (reader.optional_object("Error") != nullptr) {  // of IAM and STS
      const base::JsonReader error = reader.child("Error");
      const std::string code = error.string("Code");
      return {code_of(response, code == "EntityAlreadyExists"),
              code + ": " + error.optional_string("Message").value_or("")};
    }
    const auto type = response.headers.find("x-amzn-errortype");
    const std::string code =
        type ? std::string(*type) : reader.optional_string("__type").value_or(status);
    const auto message = reader.optional_string("message");
    const bool is_there = reader.optional_string(fleet::kReasonMember) == fleet::kAlreadyExists;
    return {code_of(response, is_there, code),
            code + ": " + message.value_or(reader.optional_string("Message").value_or(""))};
  } catch (const Error&) {
    return {code_of_status(response.status), status + ": " + response.body.substr(0, 200)};
  }
}

}  // namespace

base::fs::path default_data_directory() {
  const base::fs::path here = "data";
  const base::fs::path installed = "/var/lib/andon/server";
  std::error_code ignored;
  return !base::fs::exists(here, ignored) && base::fs::exists(installed, ignored) ? installed
                                                                                  : here;
}

Connection read_connection(const base::fs::path& data) {
  // Written when the server listens, taken away when it ends.
  const auto announced = base::read_file_if_exists(data / "server.json");
  if (!announced) {
    throw Error(ErrorCode::unavailable,
                "no andon-server runs on the data directory '" + data.string() +
                    "': start one (andon-server run --data " + data.string() +
                    "), or name the right directory with --data");
  }
  const base::json::value server = base::parse_json(*announced, "server.json");
  const base::json::value key =
      base::parse_json(base::read_file(data / "credentials" / "operator.json"), "operator.json");
  const base::JsonReader where(server, "server.json");
  const base::JsonReader who(key, "operator.json");
  // Where the plant has given a certificate of its own.
  const auto trusted = where.optional_string("caFile");
  return {where.string("api"),
          (trusted ? data / *trusted : data / "ca" / "ca.crt").string(),
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
  return send(http_, std::move(request), service, target, payload_sha256);
}

wire::IncomingResponse AwsClient::send(wire::HttpClient& http, wire::OutgoingRequest request,
                                       std::string_view service, std::string_view target,
                                       std::string_view payload_sha256) const {
  request.url = connection_.api_url + std::string(target);
  request.headers =
      wire::sign({.method = request.method,
                  .host = host_of(connection_.api_url),
                  .target = std::string(target),
                  .headers = request.headers,
                  .payload_sha256 = std::string(payload_sha256)},
                 connection_.credentials, {connection_.region, std::string(service)}, clock_.now());
  wire::IncomingResponse response = http.send(request);
  if (response.status >= 300) {
    throw error_of(response);
  }
  return response;
}

base::json::value AwsClient::rest(std::string_view service, std::string_view method,
                                  std::string_view target, const base::json::value& body,
                                  wire::Headers headers) {
  wire::OutgoingRequest request;
  request.method = method;
  request.headers = std::move(headers);
  if (!body.is_null()) {
    request.body = base::to_text(body);
    request.headers.add("Content-Type", "application/json");
  }
  const std::string digest = trust::sha256_hex(request.body);
  const auto response = send(std::move(request), service, target, digest);
  return response.body.empty() ? base::json::value(base::json::object())
                               : base::parse_json(response.body, "the server's answer");
}

FunctionAnswer AwsClient::invoke(std::string_view target, const std::string& payload,
                                 bool is_event) {
  wire::OutgoingRequest request;
  request.method = "POST";
  request.body = payload;
  request.headers.add("X-Amz-Invocation-Type", is_event ? "Event" : "RequestResponse");
  if (!is_event) request.headers.add("X-Amz-Log-Type", "Tail");
  request.timeout = kLongestFunction;
  const std::string digest = trust::sha256_hex(request.body);
  // A function that thinks sends nothing.
  wire::HttpClient patient(
      {.ca_file = connection_.api_url.starts_with("https:") ? connection_.ca_file : std::string(),
       .stall_timeout = kLongestFunction});
  const auto response = send(patient, std::move(request), "lambda", target, digest);
  const auto log = base::from_base64(response.headers.find("X-Amz-Log-Result").value_or(""));
  return {.payload = response.body,
          .log = log.value_or(std::string()),
          .is_error = response.headers.find("X-Amz-Function-Error").has_value()};
}

base::json::value AwsClient::call(const JsonProtocol& protocol, std::string_view operation,
                                  const base::json::value& input) {
  wire::OutgoingRequest request;
  request.method = "POST";
  request.body = base::to_text(input);
  request.headers.add("Content-Type", "application/x-amz-json-" + std::string(protocol.version));
  request.headers.add("X-Amz-Target", std::string(protocol.target) + "." + std::string(operation));
  const std::string digest = trust::sha256_hex(request.body);
  const auto response = send(std::move(request), protocol.service, "/", digest);
  return response.body.empty() ? base::json::value(base::json::object())
                               : base::parse_json(response.body, "the server's answer");
}

base::json::value AwsClient::sagemaker(std::string_view operation, const base::json::value& input) {
  return call({"sagemaker", "SageMaker", "1.1"}, operation, input);
}

base::json::value AwsClient::events(std::string_view operation, const base::json::value& input) {
  return call({.service = "events", .target = "AWSEvents", .version = "1.1"}, operation, input);
}

base::json::value AwsClient::states(std::string_view operation, const base::json::value& input) {
  return call({"states", "AWSStepFunctions", "1.0"}, operation, input);
}

base::json::value AwsClient::logs(std::string_view operation, const base::json::value& input) {
  return call({"logs", "Logs_20140328", "1.1"}, operation, input);
}

base::json::value AwsClient::query(std::string_view service, std::string_view version,
                                   std::string_view operation, const FormMembers& members) {
  wire::OutgoingRequest request;
  request.method = "POST";
  request.body = "Action=" + std::string(operation) + "&Version=" + std::string(version);
  for (const auto& [name, value] : members) {
    request.body += "&" + base::percent_encode(name) + "=" + base::percent_encode(value);
  }
  request.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  request.headers.add("Accept", "application/json");
  const std::string digest = trust::sha256_hex(request.body);
  const auto response = send(std::move(request), service, "/", digest);
  const base::json::value answer = base::parse_json(response.body, "the server's answer");
  const std::string name(operation);
  return base::JsonReader(answer, "answer")
      .child(name + "Response")
      .child_or_empty(name + "Result")
      .object();
}

void AwsClient::create_bucket(std::string_view bucket) {
  try {
    wire::OutgoingRequest request;
    request.method = "PUT";
    send(std::move(request), "s3", "/" + std::string(bucket), trust::sha256_hex(""));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::already_exists) throw;
  }
}

bool AwsClient::has_object(std::string_view bucket, std::string_view key) {
  try {
    wire::OutgoingRequest request;
    request.method = "HEAD";
    const std::string target =
        "/" + base::percent_encode(bucket) + "/" + base::percent_encode(key, base::Slash::keep);
    send(std::move(request), "s3", target, trust::sha256_hex(""));
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return false;
  }
}

std::string AwsClient::get_object(std::string_view bucket, std::string_view key,
                                  std::size_t most_bytes) {
  wire::OutgoingRequest request;
  request.max_response_bytes = most_bytes;
  const std::string target =
      "/" + base::percent_encode(bucket) + "/" + base::percent_encode(key, base::Slash::keep);
  return send(std::move(request), "s3", target, trust::sha256_hex("")).body;
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
