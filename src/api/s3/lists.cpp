// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/s3/format/conditions.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/key_text.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/upload_checksum.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMaxKeys = 1000;

std::size_t read_max_keys(const S3Call& call) {
  return read_limit(call, "max-keys", kMaxKeys);
}

bool read_fetch_owner(const S3Call& call) {
  const std::string text = call.query("fetch-owner");
  if (!text.empty() && text != "true" && text != "false") {
    throw invalid_argument("fetch-owner must be true or false");
  }
  return text == "true";
}

store::ListPage list(const S3Call& call, const std::string& start_after, std::size_t max_keys) {
  require_bucket(call);
  return call.objects.list({.bucket = call.address.bucket,
                            .prefix = call.query("prefix"),
                            .delimiter = call.query("delimiter"),
                            .start_after = start_after,
                            .max_keys = max_keys});
}

void write_head(XmlWriter& xml, const S3Call& call, const KeyText& key_text, std::size_t max_keys,
                const store::ListPage& page) {
  xml.text("Name", call.address.bucket).text("Prefix", key_text(call.query("prefix")));
  if (call.has_query("delimiter")) xml.text("Delimiter", key_text(call.query("delimiter")));
  xml.number("MaxKeys", max_keys);
  if (key_text.is_encoded()) xml.text("EncodingType", "url");
  xml.boolean("IsTruncated", page.next_start_after.has_value());
}

void write_items(XmlWriter& xml, const S3Call& call, const KeyText& key_text,
                 const store::ListPage& page) {
  const bool with_owner = read_fetch_owner(call);
  for (const store::ObjectInfo& object : page.objects) {
    xml.open("Contents").text("Key", key_text(object.key));
    xml.text("LastModified", base::to_iso8601(object.last_modified));
    xml.text("ETag", quoted_etag(object.etag)).number("Size", object.size);
    for (const ChecksumAlgorithm algorithm : kChecksumAlgorithms) {
      if (!object.headers.contains(std::string(header_name(algorithm)))) continue;
      xml.text("ChecksumAlgorithm", algorithm_name(algorithm));
      xml.text("ChecksumType", checksum_type_of(object.headers));
    }
    if (with_owner) {
      xml.open("Owner").text("ID", call.identity.caller.account_id).close();
    }
    xml.text("StorageClass", "STANDARD").close();
  }
  for (const std::string& prefix : page.common_prefixes) {
    xml.open("CommonPrefixes").text("Prefix", key_text(prefix)).close();
  }
}

}  // namespace

wire::HttpResponse list_objects_v1(const S3Call& call) {
  const KeyText key_text(call);
  const std::size_t max_keys = read_max_keys(call);
  const store::ListPage page = list(call, call.query("marker"), max_keys);
  XmlWriter xml("ListBucketResult");
  write_head(xml, call, key_text, max_keys, page);
  xml.text("Marker", key_text(call.query("marker")));
  if (page.next_start_after && call.has_query("delimiter")) {
    xml.text("NextMarker", key_text(*page.next_start_after));
  }
  write_items(xml, call, key_text, page);
  return xml_response(xml);
}

wire::HttpResponse list_objects_v2(const S3Call& call) {
  const KeyText key_text(call);
  const std::size_t max_keys = read_max_keys(call);
  std::string start_after = call.query("start-after");
  if (call.query("list-type") != "2") throw invalid_argument("list-type must be 2");
  const std::string token = call.query("continuation-token");
  if (!token.empty()) {
    const auto decoded = base::from_base64url(token);
    if (!decoded) throw invalid_argument("the continuation token is not one of this server");
    start_after = *decoded;
  }
  const store::ListPage page = list(call, start_after, max_keys);
  XmlWriter xml("ListBucketResult");
  write_head(xml, call, key_text, max_keys, page);
  xml.number("KeyCount", page.objects.size() + page.common_prefixes.size());
  if (!token.empty()) xml.text("ContinuationToken", token);
  if (page.next_start_after) {
    xml.text("NextContinuationToken", base::to_base64url(*page.next_start_after));
  }
  if (call.has_query("start-after")) xml.text("StartAfter", key_text(call.query("start-after")));
  write_items(xml, call, key_text, page);
  return xml_response(xml);
}

}  // namespace andon::api
