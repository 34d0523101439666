// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "api/s3_error.hpp"
#include "api/s3_operations.hpp"
#include "base/encoding.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMaxKeys = 1000;

// Keys as the client wants them: as they are, or percent-encoded (any byte is then valid XML).
class KeyText {
 public:
  explicit KeyText(const S3Call& call) {
    const std::string type = call.query("encoding-type");
    if (!type.empty() && type != "url") throw invalid_argument("encoding-type must be 'url'");
    is_encoded_ = !type.empty();
  }

  [[nodiscard]] bool is_encoded() const { return is_encoded_; }
  [[nodiscard]] std::string operator()(const std::string& key) const {
    return is_encoded_ ? base::percent_encode(key, base::Slash::keep) : key;
  }

 private:
  bool is_encoded_ = false;
};

std::size_t read_max_keys(const S3Call& call) {
  const std::string text = call.query("max-keys");
  if (text.empty()) return kMaxKeys;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw invalid_argument("max-keys must be a whole number from 0 on");
  }
  return std::min(number, kMaxKeys);
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
  for (const store::ObjectInfo& object : page.objects) {
    xml.open("Contents").text("Key", key_text(object.key));
    xml.text("LastModified", base::to_iso8601(object.last_modified));
    xml.text("ETag", quoted_etag(object.etag)).number("Size", object.size);
    if (call.query("fetch-owner") == "true") {
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
