// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "api/byte_range.hpp"
#include "api/s3_body.hpp"
#include "api/s3_conditions.hpp"
#include "api/s3_error.hpp"
#include "api/s3_operations.hpp"

namespace andon::api {
namespace {

using wire::HttpResponse;

constexpr std::size_t kMaxDeleteBytes = 8U << 20U;
constexpr std::size_t kMaxDeletedKeys = 1000;
constexpr std::size_t kMaxMetadataBytes = 2048;
constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr std::array<std::string_view, 5> kKeptHeaders{
    "cache-control", "content-disposition", "content-encoding", "content-language", "expires"};

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lowered;
}

// "aws-chunked" is how the body travels, not how the object is encoded.
std::string without_aws_chunked(std::string_view encodings) {
  std::string kept;
  while (!encodings.empty()) {
    std::string_view item = encodings.substr(0, encodings.find(','));
    encodings.remove_prefix(std::min(item.size() + 1, encodings.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
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
    const std::string lowered = lower(name);
    if (!lowered.starts_with(kMetadataPrefix)) continue;
    if (!is_utf8(value)) throw invalid_argument(lowered + " is not UTF-8");
    metadata[lowered.substr(kMetadataPrefix.size())] = value;
    bytes += lowered.size() - kMetadataPrefix.size() + value.size();
  }
  if (bytes > kMaxMetadataBytes) {
    throw S3Error(400, "MetadataTooLarge", "an object's metadata may have at most 2048 bytes");
  }
  return metadata;
}

void check_write_condition(const S3Call& call, const std::optional<store::ObjectInfo>& replaced) {
  const auto none_match = call.header("If-None-Match");
  const auto match = call.header("If-Match");
  if (none_match && *none_match != "*") {
    throw S3Error(501, "NotImplemented", "a write takes If-None-Match only as '*'");
  }
  if ((none_match && replaced) ||
      (match && (!replaced || unquoted_etag(*match) != replaced->etag))) {
    throw S3Error(412, "PreconditionFailed", "the object is not as the request wants it to be");
  }
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
}

void add_checksums(HttpResponse& response, const S3Call& call, const store::ObjectInfo& object) {
  if (lower(call.header("x-amz-checksum-mode").value_or("")) != "enabled") return;
  for (const auto& [name, value] : object.headers) {
    if (!name.starts_with("x-amz-checksum-")) continue;
    response.headers.set(name, value);
    response.headers.set("x-amz-checksum-type", "FULL_OBJECT");
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
  return response;
}

enum class Content { wanted, left_out };

HttpResponse read_object(const S3Call& call, Content content) {
  if (call.has_query("partNumber")) {
    throw S3Error(501, "NotImplemented", "objects cannot be read by part number: use Range");
  }
  require_bucket(call);
  auto object = call.objects.open(call.address.bucket, call.address.key);
  if (!object) throw no_such_key(call.address.key);
  const store::ObjectInfo& info = object->info;
  switch (check_conditions(call.request.headers, info.etag, info.last_modified)) {
    case ReadCondition::not_modified:
      return not_modified(info);
    case ReadCondition::failed:
      throw S3Error(412, "PreconditionFailed", "the object is not as the request wants it to be");
    case ReadCondition::met:
      break;
  }
  const RangeAnswer answer = read_range(call.header("Range").value_or(""), info.size);
  if (answer.kind == RangeKind::unsatisfiable) {
    throw S3Error(416, "InvalidRange",
                  "the range starts after the object's " + std::to_string(info.size) + " bytes");
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

store::PutOptions read_put_options(const S3Call& call) {
  store::PutOptions options;
  options.content_type = call.header("Content-Type").value_or("binary/octet-stream");
  options.metadata = read_metadata(call.request.headers);
  for (const std::string_view name : kKeptHeaders) {
    auto value = call.header(name);
    if (value && name == "content-encoding") value = without_aws_chunked(*value);
    if (value && !value->empty()) options.headers[std::string(name)] = *value;
  }
  for (const auto& [name, value] : options.headers) {
    if (!is_utf8(value)) throw invalid_argument(name + " is not UTF-8");
  }
  if (!is_utf8(options.content_type)) throw invalid_argument("Content-Type is not UTF-8");
  return options;
}

HttpResponse put_object(const S3Call& call) {
  require_bucket(call);
  S3Body body(call);
  store::PutOptions options = read_put_options(call);
  options.check = [&](const store::ContentDigests& digests) {
    body.check()(digests);
    options.headers.insert(body.checksums().begin(), body.checksums().end());
  };
  options.check_replaced = [&](const auto& replaced) { check_write_condition(call, replaced); };
  const store::ObjectInfo object =
      call.objects.put(call.address.bucket, call.address.key, body.source(), options);
  HttpResponse response;
  response.headers.set("ETag", quoted_etag(object.etag));
  for (const auto& [name, value] : body.checksums()) response.headers.set(name, value);
  return response;
}

HttpResponse copy_object(const S3Call& call) {
  const S3Address source = read_copy_source(call.header("x-amz-copy-source").value_or(""));
  require_bucket(call);
  if (!call.objects.has_bucket(source.bucket)) throw no_such_bucket(source.bucket);
  const bool is_replaced = lower(call.header("x-amz-metadata-directive").value_or("")) == "replace";
  if (!is_replaced && source.bucket == call.address.bucket && source.key == call.address.key) {
    throw S3Error(400, "InvalidRequest",
                  "a copy of an object to itself must replace its metadata "
                  "(x-amz-metadata-directive: REPLACE)");
  }
  for (const auto& [name, value] : call.request.headers.fields()) {
    if (lower(name).starts_with("x-amz-copy-source-if-")) {
      throw S3Error(501, "NotImplemented", "copies take no conditions");
    }
  }
  std::optional<store::PutOptions> options;
  if (is_replaced) options = read_put_options(call);
  const store::ObjectInfo object =
      call.objects.copy(source.bucket, source.key, call.address.bucket, call.address.key, options);
  XmlWriter xml("CopyObjectResult");
  xml.text("LastModified", base::to_iso8601(object.last_modified));
  xml.text("ETag", quoted_etag(object.etag));
  return xml_response(xml);
}

HttpResponse get_object(const S3Call& call) {
  return read_object(call, Content::wanted);
}

HttpResponse head_object(const S3Call& call) {
  return read_object(call, Content::left_out);
}

HttpResponse delete_object(const S3Call& call) {
  require_bucket(call);
  call.objects.remove(call.address.bucket, call.address.key);
  return {.status = 204};
}

HttpResponse delete_objects(const S3Call& call) {
  require_bucket(call);
  const XmlElement root = read_xml(call, kMaxDeleteBytes);
  if (root.name != "Delete") throw malformed_xml("expected Delete, not " + root.name);
  const bool is_quiet = root.child_text("Quiet") == "true";
  std::vector<std::string> keys;
  for (const XmlElement& child : root.children) {
    if (child.name == "Quiet") continue;
    auto key = child.child_text("Key");
    if (child.name != "Object" || !key || key->empty()) {
      throw malformed_xml("expected Object with a Key");
    }
    keys.push_back(*std::move(key));
  }
  if (keys.empty() || keys.size() > kMaxDeletedKeys) {
    throw malformed_xml("a request deletes 1 to 1000 objects");
  }
  XmlWriter xml("DeleteResult");
  for (const std::string& key : keys) {
    try {
      call.objects.remove(call.address.bucket, key);
      if (!is_quiet) xml.open("Deleted").text("Key", key).close();
    } catch (const base::Error& error) {
      const S3Error translated = translate_for_s3(error);
      xml.open("Error").text("Key", key).text("Code", translated.code());
      xml.text("Message", translated.what()).close();
    }
  }
  return xml_response(xml);
}

}  // namespace andon::api
