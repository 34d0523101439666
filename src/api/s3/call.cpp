// SPDX-License-Identifier: Apache-2.0
#include "api/s3/call.hpp"

#include <algorithm>

#include "api/s3/body.hpp"
#include "api/s3/format/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"

namespace andon::api {
namespace {

std::string decode(std::string_view encoded) {
  auto text = base::percent_decode(encoded);
  if (!text || !base::is_utf8(*text)) {
    throw S3Error(400, "InvalidURI", "the path is not percent-encoded UTF-8");
  }
  return *std::move(text);
}

S3Address split_path(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  S3Address address{.bucket = decode(path.substr(0, slash)), .key = {}};
  if (slash != std::string_view::npos) address.key = decode(path.substr(slash + 1));
  if (address.bucket.empty() && slash != std::string_view::npos) {
    throw S3Error(400, "InvalidBucketName", "the path names no bucket: it begins with '//'");
  }
  return address;
}

// "<bucket>.<host>[:port]" -> bucket.
std::optional<std::string> bucket_of_host(std::string_view host_field, std::string_view host) {
  const std::size_t colon = host_field.rfind(':');
  if (colon != std::string_view::npos && host_field.find(']', colon) == std::string_view::npos) {
    host_field = host_field.substr(0, colon);
  }
  for (const std::string_view own : {host, std::string_view("localhost")}) {
    if (own.empty() || host_field.size() <= own.size() + 1) continue;
    const std::size_t at = host_field.size() - own.size();
    if (host_field[at - 1] == '.' && base::equal_ignoring_case(host_field.substr(at), own)) {
      return std::string(host_field.substr(0, at - 1));
    }
  }
  return std::nullopt;
}

}  // namespace

S3Address read_address(const wire::HttpRequest& request, std::string_view host) {
  if (const auto field = request.headers.find("Host")) {
    if (const auto bucket = bucket_of_host(*field, host)) {
      return {.bucket = *bucket, .key = decode(std::string_view(request.path).substr(1))};
    }
  }
  return split_path(request.path);
}

CopySource read_copy_source(std::string_view text) {
  constexpr std::string_view kVersion = "?versionId=";
  CopySource source;
  const std::size_t question = text.rfind(kVersion);
  if (question != std::string_view::npos) {
    source.version_id = text.substr(question + kVersion.size());
    text = text.substr(0, question);
  }
  // Decoded first, as a client may have encoded the slash too; no bucket has one in its name.
  const std::string path = decode(text);
  const std::string_view rest = std::string_view(path).substr(path.starts_with('/') ? 1 : 0);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  source.object = {.bucket = std::string(rest.substr(0, slash)),
                   .key = std::string(rest.substr(std::min(slash + 1, rest.size())))};
  if (source.object.bucket.empty() || source.object.key.empty()) {
    throw invalid_argument("x-amz-copy-source must be <bucket>/<key>");
  }
  return source;
}

std::string read_version_id(const S3Call& call) {
  std::string version_id = call.query("versionId");
  if (version_id.empty() && call.has_query("versionId")) {
    throw invalid_argument("Version id cannot be the empty string");
  }
  return version_id;
}

void add_version_id(wire::HttpResponse& response, const std::string& version_id) {
  if (!version_id.empty()) response.headers.set("x-amz-version-id", version_id);
}

wire::Headers read_headers(const wire::HttpRequest& request) {
  wire::Headers headers = request.headers;
  for (const auto& [name, value] : request.query) {
    if (base::to_lower(name).starts_with("x-amz-") && !headers.find(name)) headers.set(name, value);
  }
  return headers;
}

std::optional<std::string> S3Call::header(std::string_view name) const {
  const auto value = headers.find(name);
  if (!value) return std::nullopt;
  return std::string(*value);
}

bool S3Call::has_query(std::string_view name) const {
  return request.query_value(name).has_value();
}

std::string S3Call::query(std::string_view name) const {
  return request.query_value(name).value_or("");
}

std::string resource_of(const S3Address& address) {
  if (address.bucket.empty()) return "*";
  return "arn:aws:s3:::" + address.bucket + (address.key.empty() ? "" : "/" + address.key);
}

void require_bucket(const S3Call& call) {
  if (!call.objects.has_bucket(call.address.bucket)) throw no_such_bucket(call.address.bucket);
}

std::optional<store::Quota> quota_of(const S3Call& call) {
  constexpr std::string_view kThingPrefix = "thing/";
  const std::string_view principal = call.identity.caller.principal;
  if (!principal.starts_with(kThingPrefix)) return std::nullopt;
  return store::Quota{.owner = std::string(principal.substr(kThingPrefix.size())),
                      .max_bytes = call.options.max_device_bytes,
                      .max_objects = call.options.max_device_objects};
}

std::size_t read_limit(const S3Call& call, std::string_view name, std::size_t most) {
  const std::string text = call.query(name);
  if (text.empty()) return most;
  if (!std::ranges::all_of(text, base::is_digit)) {
    throw invalid_argument(std::string(name) + " must be a whole number from 0 on");
  }
  return std::min(base::parse_integer<std::size_t>(text).value_or(most), most);
}

XmlElement read_xml(const S3Call& call, std::size_t max_bytes, const BodyRules& rules) {
  const std::string text = read_checked_body(call, max_bytes, rules);
  try {
    return parse_xml(text);
  } catch (const base::Error& error) {
    throw malformed_xml(error.message());
  }
}

wire::HttpResponse xml_response(XmlWriter& xml) {
  return xml_response(xml.finish());
}

wire::HttpResponse xml_response(std::string document) {
  wire::HttpResponse response;
  response.headers.set("Content-Type", "application/xml");
  response.body = std::move(document);
  return response;
}

}  // namespace andon::api
