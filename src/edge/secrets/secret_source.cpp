// SPDX-License-Identifier: Apache-2.0
#include "edge/secrets/secret_source.hpp"

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "edge/cloud/data_plane.hpp"
#include "trust/digests/digest.hpp"
#include "wire/aws/sigv4.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds kCallTimeout{20};
// 64 KiB, each byte as six characters, and what is around it.
constexpr std::size_t kMostAnswerBytes = 512U << 10U;
constexpr std::size_t kMostStages = 100;
constexpr std::size_t kShownBytes = 300;

// "ResourceNotFoundException" and the message of an AWS-style error, empty where there is none.
std::pair<std::string, std::string> error_of(const wire::IncomingResponse& response) {
  std::string type(response.headers.find("x-amzn-errortype").value_or(""));
  std::string message = response.body.substr(0, kShownBytes);
  try {
    const json::value body = base::parse_json(response.body, "answer");
    const base::JsonReader reader(body, "answer");
    if (type.empty()) type = reader.optional_string("__type").value_or("");
    for (const char* const key : {"message", "Message"}) {
      if (const auto text = reader.optional_string(key)) message = text->substr(0, kShownBytes);
    }
  } catch (const Error&) {
    // Not AWS's form: the status says enough.
  }
  return {type.substr(type.rfind('#') + 1), message};
}

ErrorCode code_of(int status, const std::string& type) {
  if (type == "ResourceNotFoundException" || type == "InvalidRequestException") {
    return ErrorCode::not_found;  // the second: it is marked for deletion
  }
  if (type == "AccessDeniedException") return ErrorCode::permission_denied;
  // Credentials and the time that they count by are others with the next attempt.
  const bool may_pass = status >= 500 || status == 408 || status == 429 || status == 401 ||
                        status == 403 || type.ends_with("TokenException") ||
                        type.ends_with("ClientException") || type.ends_with("SignatureException");
  return may_pass ? ErrorCode::unavailable : ErrorCode::failed_precondition;
}

}  // namespace

SecretSource::SecretSource(const DeviceConfig& device, const Layout& layout,
                           std::shared_ptr<ExportCredentials> credentials)
    : device_(device),
      credentials_(std::move(credentials)),
      client_(http_options(device, layout)) {}

SecretVersion SecretSource::get(const std::string& id, const std::string& stage,
                                base::Timestamp now) {
  wire::OutgoingRequest request;
  request.method = "POST";
  request.body = base::to_text(json::object{{"SecretId", id}, {"VersionStage", stage}});
  request.timeout = kCallTimeout;
  request.max_response_bytes = kMostAnswerBytes;
  const std::string url = device_.data_plane_url();
  request.url = url + '/';
  wire::UnsignedRequest plain{.method = "POST",
                              .host = url.substr(url.find("://") + 3),
                              .target = "/",
                              .headers = {},
                              .payload_sha256 = trust::sha256_hex(request.body)};
  plain.headers.set("X-Amz-Target", "secretsmanager.GetSecretValue");
  plain.headers.set("Content-Type", "application/x-amz-json-1.1");
  request.headers =
      wire::sign(plain, credentials_->get(now), {device_.region, "secretsmanager"}, now);
  const wire::IncomingResponse response = client_.send(request);
  if (response.status == 200) return read_secret_answer(response.body);
  const auto [type, message] = error_of(response);
  const ErrorCode code = code_of(response.status, type);
  // Another role may be the device's by now.
  if (code != ErrorCode::not_found && response.status < 500) credentials_->drop();
  throw Error(code, "the server answered HTTP " + std::to_string(response.status) + ' ' + type +
                        ": " + message);
}

SecretVersion read_secret_answer(std::string_view body) {
  try {
    const json::value value = base::parse_json(body, "secret", {kMostAnswerBytes, 8});
    const base::JsonReader reader(value, "secret");
    SecretVersion version{reader.required_text("ARN"),
                          reader.required_text("Name"),
                          reader.required_text("VersionId"),
                          reader.strings("VersionStages", kMostStages),
                          {}};
    json::object content;
    if (const auto text = reader.optional_string("SecretString")) {
      content["secretString"] = *text;
    } else {
      const std::string bytes = reader.string("SecretBinary");
      if (!base::from_base64(bytes)) reader.fail("SecretBinary", "must be base64");
      content["secretBinary"] = bytes;
    }
    version.value = base::to_text(content);
    return version;
  } catch (const Error&) {
    // Its text may have what the answer has: nothing of a secret goes into a log.
    throw Error(ErrorCode::data_corrupted, "the server's answer is no secret");
  }
}

}  // namespace andon::edge
