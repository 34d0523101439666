// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "api/s3/access.hpp"
#include "api/s3/body.hpp"
#include "api/s3/format/byte_range.hpp"
#include "api/s3/format/conditions.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/settings/tagging.hpp"
#include "api/s3/upload_checksum.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"

namespace andon::api {
namespace {

using wire::HttpResponse;

constexpr std::size_t kMaxMetadataBytes = 2048;
constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr std::array<std::string_view, 5> kKeptHeaders{
    "cache-control", "content-disposition", "content-encoding", "content-language", "expires"};

// "aws-chunked" is how the body travels, not how the object is encoded.
std::string without_aws_chunked(std::string_view encodings) {
  std::string kept;
  while (!encodings.empty()) {
    const std::string_view item = base::trim(base::take_part(encodings, ','));
    if (item.empty() || item == "aws-chunked") continue;
    if (!kept.empty()) kept += ",";
    kept += item;
  }
  return kept;
}

std::map<std::string, std::string> read_metadata(const wire::Headers& headers) {
  std::map<std::string, std::string> metadata;
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers.fields()) {
    const std::string lowered = base::to_lower(name);
    if (!lowered.starts_with(kMetadataPrefix)) continue;
    if (!base::is_utf8(value)) throw invalid_argument(lowered + " is not UTF-8");
    metadata[lowered.substr(kMetadataPrefix.size())] = value;
    bytes += lowered.size() - kMetadataPrefix.size() + value.size();
  }
  if (bytes > kMaxMetadataBytes) {
    throw S3Error(400, "MetadataTooLarge", "an object's metadata may have at most 2048 bytes");
  }
  return metadata;
}

void add_object_headers(HttpResponse& response, const store::ObjectInfo& object) {
  wire::Headers& headers = response.headers;
  headers.set("ETag", quoted_etag(object.etag));
  headers.set("Last-Modified", base::to_http_date(object.last_modified));
  headers.set("Accept-Ranges", "bytes");
  headers.set("Content-Type", object.content_type);
  for (const auto& [name, value] : object.metadata) {
    headers.set(std::string(kMetadataPrefix) + name, value);
  }
  for (const auto& [name, value] : object.headers) {
    if (!name.starts_with("x-amz-checksum-")) headers.set(name, value);
  }
  if (!object.tags.empty()) {
    headers.set("x-amz-tagging-count", std::to_string(object.tags.size()));
  }
  add_version_id(response, object.version_id);
}

void add_checksums(HttpResponse& response, const S3Call& call, const store::ObjectInfo& object) {
  if (!call.header("x-amz-checksum-mode")) return;
  const std::string type = checksum_type_of(object.headers);
  for (const auto& [name, value] : object.headers) {
    if (!parse_checksum_header(name)) continue;
    response.headers.set(name, value);
    response.headers.set(kChecksumTypeHeader, type);
  }
}

// response-content-type=... and its like, of presigned URLs for browsers.
void apply_overrides(HttpResponse& response, const S3Call& call) {
  constexpr std::string_view kPrefix = "response-";
  for (const auto& [name, value] : call.request.query) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string header = name.substr(kPrefix.size());
    if (header != "content-type" && std::ranges::find(kKeptHeaders, header) == kKeptHeaders.end()) {
      throw invalid_argument("the parameter " + name + " is not known");
    }
    if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      throw invalid_argument("the parameter " + name + " holds control characters");
    }
    response.headers.set(header, value);
  }
}

HttpResponse not_modified(const store::ObjectInfo& object) {
  HttpResponse response{.status = 304};
  response.headers.set("ETag", quoted_etag(object.etag));
  response.headers.set("Last-Modified", base::to_http_date(object.last_modified));
  add_version_id(response, object.version_id);
  return response;
}

enum class Content { wanted, left_out };

HttpResponse read_object(const S3Call& call, Content content) {
  require_bucket(call);
  const std::string version_id = read_version_id(call);
  auto object = call.objects.open(call.address.bucket, call.address.key, version_id);
  if (!object) throw no_content(call, version_id);
  const store::ObjectInfo& info = object->info;
  switch (check_conditions(call.headers, info)) {
    case ReadCondition::not_modified:
      return not_modified(info);
    case ReadCondition::failed:
      throw S3Error(412, "PreconditionFailed", "the object is not as the request wants it to be");
    case ReadCondition::met:
      break;
  }
  RangeAnswer answer;
  if (is_range_meant(call.headers, info)) {
    answer = read_range(call.header("Range").value_or(""), info.size);
  }
  if (answer.kind == RangeKind::unsatisfiable) {
    throw S3Error(416, "InvalidRange",
                  "the range starts after the object's " + std::to_string(info.size) + " bytes")
        .with_header("Content-Range", "bytes */" + std::to_string(info.size));
  }
  HttpResponse response;
  add_object_headers(response, info);
  ByteRange range{0, info.size};
  if (answer.kind == RangeKind::part) {
    range = answer.range;
    response.status = 206;
    response.headers.set("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                              std::to_string(range.offset + range.size - 1) + "/" +
                                              std::to_string(info.size));
  } else {
    add_checksums(response, call, info);
  }
  apply_overrides(response, call);
  if (content == Content::left_out || range.size == 0) {
    response.headers.set("Content-Length", std::to_string(range.size));
    return response;
  }
  response.body = wire::FileBody{std::move(object->file), range.offset, range.size};
  return response;
}

}  // namespace

S3Error no_content(const S3Call& call, const std::string& version_id) {
  const auto marker = call.objects.find_version(call.address.bucket, call.address.key, version_id);
  if (!marker) return no_such_version(call.address.key, version_id);
  S3Error error =
      version_id.empty()
          ? no_such_key(call.address.key)
          : S3Error(405, "MethodNotAllowed", "this version marks a deletion: it has no content")
                .with_header("Allow", "DELETE")
                .with_header("Last-Modified", base::to_http_date(marker->object.last_modified));
  return std::move(error)
      .with_header("x-amz-delete-marker", "true")
      .with_header("x-amz-version-id", marker->object.version_id);
}

store::ObjectInfo require_content(const S3Call& call) {
  require_bucket(call);
  const std::string version_id = read_version_id(call);
  auto version = call.objects.find_version(call.address.bucket, call.address.key, version_id);
  if (!version || version->is_marker) throw no_content(call, version_id);
  return std::move(version->object);
}

store::PutOptions read_put_options(const S3Call& call) {
  store::PutOptions options;
  options.content_type = call.header("Content-Type").value_or("binary/octet-stream");
  options.metadata = read_metadata(call.headers);
  for (const std::string_view name : kKeptHeaders) {
    auto value = call.header(name);
    if (value && name == "content-encoding") value = without_aws_chunked(*value);
    if (value && !value->empty()) options.headers[std::string(name)] = *value;
  }
  for (const auto& [name, value] : options.headers) {
    if (!base::is_utf8(value)) throw invalid_argument(name + " is not UTF-8");
  }
  if (!base::is_utf8(options.content_type)) throw invalid_argument("Content-Type is not UTF-8");
  if (const auto tagging = call.header("x-amz-tagging")) options.tags = read_tag_query(*tagging);
  return options;
}

store::Removal remove_checked(const S3Call& call, const std::string& key,
                              const std::string& version_id, const DeleteConditions& conditions) {
  const auto check = [&](const auto& object) { check_delete_conditions(conditions, object); };
  const std::string& bucket = call.address.bucket;
  return version_id.empty() ? call.objects.remove(bucket, key, check)
                            : call.objects.remove_version(bucket, key, version_id, check);
}

void authorize_tags(const S3Call& call, const S3Address& object) {
  if (call.header("x-amz-tagging")) authorize_object(call, "s3:PutObjectTagging", object);
}

HttpResponse put_object(const S3Call& call) {
  require_bucket(call);
  authorize_tags(call, call.address);
  S3Body body(call);
  store::PutOptions options = read_put_options(call);
  options.check = [&](const store::ContentDigests& digests) {
    body.check()(digests);
    options.headers.insert(body.checksums().begin(), body.checksums().end());
  };
  options.check_replaced = [&](const auto& old) { check_write_conditions(call.headers, old); };
  options.quota = quota_of(call);
  const store::ObjectInfo object =
      call.objects.put(call.address.bucket, call.address.key, body.source(), options);
  HttpResponse response;
  response.headers.set("ETag", quoted_etag(object.etag));
  add_stored_checksums(response, body.checksums());
  add_version_id(response, object.version_id);
  return response;
}

HttpResponse get_object(const S3Call& call) {
  return read_object(call, Content::wanted);
}

HttpResponse head_object(const S3Call& call) {
  return read_object(call, Content::left_out);
}

HttpResponse delete_object(const S3Call& call) {
  require_bucket(call);
  const std::string version_id = read_version_id(call);
  const DeleteConditions conditions = read_delete_conditions(call.headers);
  const store::Removal removal = remove_checked(call, call.address.key, version_id, conditions);
  HttpResponse response{.status = 204};
  add_version_id(response, removal.version_id);
  if (removal.is_marker) response.headers.set("x-amz-delete-marker", "true");
  return response;
}

}  // namespace andon::api
