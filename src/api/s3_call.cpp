// SPDX-License-Identifier: Apache-2.0
#include "api/s3_call.hpp"

#include "api/s3_body.hpp"
#include "api/s3_error.hpp"
#include "base/encoding.hpp"
#include "control/components.hpp"

namespace andon::api {
namespace {

constexpr std::string_view kThingPrefix = "thing/";

std::string decode(std::string_view encoded) {
  auto text = base::percent_decode(encoded);
  if (!text || !is_utf8(*text)) {
    throw S3Error(400, "InvalidURI", "the path is not percent-encoded UTF-8");
  }
  return *std::move(text);
}

S3Address split_path(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  S3Address address{.bucket = decode(path.substr(0, slash)), .key = {}};
  if (slash != std::string_view::npos) address.key = decode(path.substr(slash + 1));
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
    if (host_field[at - 1] == '.' && wire::equal_ignoring_case(host_field.substr(at), own)) {
      return std::string(host_field.substr(0, at - 1));
    }
  }
  return std::nullopt;
}

void authorize_device(const S3Call& call, S3Effect effect, std::string_view thing) {
  const std::string prefix = std::string(thing) + "/";
  if (effect != S3Effect::uploads || call.address.bucket != kUploadBucket ||
      !call.address.key.starts_with(prefix)) {
    throw S3Error(403, "AccessDenied",
                  "a device may only put objects into bucket '" + std::string(kUploadBucket) +
                      "' under '" + prefix + "'");
  }
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

S3Address read_copy_source(std::string_view text) {
  const std::string_view path = text.substr(0, text.find('?'));
  if (path.size() != text.size()) {
    throw S3Error(501, "NotImplemented", "this store keeps no versions of objects");
  }
  S3Address source = split_path(path);
  if (source.bucket.empty() || source.key.empty()) {
    throw invalid_argument("x-amz-copy-source must be <bucket>/<key>");
  }
  return source;
}

std::optional<std::string> S3Call::header(std::string_view name) const {
  const auto value = request.headers.find(name);
  if (!value) return std::nullopt;
  return std::string(*value);
}

bool S3Call::has_query(std::string_view name) const {
  return request.query_value(name).has_value();
}

std::string S3Call::query(std::string_view name) const {
  return request.query_value(name).value_or("");
}

void authorize(const S3Call& call, S3Effect effect) {
  const std::string& principal = call.identity.caller.principal;
  if (principal.starts_with(kThingPrefix)) {
    authorize_device(call, effect, std::string_view(principal).substr(kThingPrefix.size()));
    return;
  }
  if (principal != control::kOperatorPrincipal ||
      call.options.audience == S3Audience::devices_only) {
    throw S3Error(403, "AccessDenied", "this access key may not be used here");
  }
  if (effect != S3Effect::reads && is_written_only_by_the_server(call.address.bucket)) {
    throw S3Error(403, "AccessDenied",
                  "bucket '" + call.address.bucket +
                      "' holds the artifacts of component versions: it cannot be written");
  }
}

bool is_written_only_by_the_server(std::string_view bucket) {
  return bucket == control::kArtifactBucket;
}

void require_bucket(const S3Call& call) {
  if (!call.objects.has_bucket(call.address.bucket)) throw no_such_bucket(call.address.bucket);
}

XmlElement read_xml(const S3Call& call, std::size_t max_bytes) {
  const std::string text = read_checked_body(call, max_bytes);
  try {
    return parse_xml(text);
  } catch (const base::Error& error) {
    throw malformed_xml(error.message());
  }
}

wire::HttpResponse xml_response(XmlWriter& xml) {
  wire::HttpResponse response;
  response.headers.set("Content-Type", "application/xml");
  response.body = xml.finish();
  return response;
}

std::string quoted_etag(const std::string& etag) {
  return "\"" + etag + "\"";
}

std::string unquoted_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return std::string(etag);
}

}  // namespace andon::api
