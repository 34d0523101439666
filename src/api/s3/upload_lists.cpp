// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/s3/format/conditions.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/key_text.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/upload_checksum.hpp"

namespace andon::api {
namespace {

using wire::HttpResponse;

constexpr std::size_t kMaxParts = 1000;
constexpr std::size_t kMaxUploads = 1000;
constexpr std::size_t kMaxPartNumber = 10'000;

void write_checksum_kind(XmlWriter& xml, const store::UploadInfo& upload) {
  const auto algorithm = upload.headers.find(kChecksumAlgorithmHeader);
  if (algorithm == upload.headers.end()) return;
  xml.text("ChecksumAlgorithm", algorithm->second);
  xml.text("ChecksumType", checksum_type_of(upload.headers));
}

struct UploadPage {
  std::vector<store::UploadInfo> uploads;
  std::vector<std::string> common_prefixes;
  bool is_truncated = false;
  // Where the next page begins.
  std::string key_marker;
  std::string id_marker;
};

// The prefix up to the delimiter that `key` is listed under, or "".
std::string common_prefix_of(const std::string& key, const std::string& prefix,
                             const std::string& delimiter) {
  if (delimiter.empty()) return {};
  const std::size_t at = key.find(delimiter, prefix.size());
  return at == std::string::npos ? std::string() : key.substr(0, at + delimiter.size());
}

UploadPage list_page(const S3Call& call, std::size_t max_uploads) {
  UploadPage page;
  const std::string delimiter = call.query("delimiter");
  store::UploadListRequest request{.bucket = call.address.bucket,
                                   .prefix = call.query("prefix"),
                                   .after_key = call.query("key-marker"),
                                   .after_id = call.query("upload-id-marker")};
  // As S3 has it: without a key the other marker says nothing.
  if (request.after_key.empty()) request.after_id.clear();
  // A common prefix that ended the page before is not listed again.
  std::string last_prefix =
      common_prefix_of(request.after_key, request.prefix, delimiter) == request.after_key
          ? request.after_key
          : std::string();
  while (true) {
    const auto batch = call.objects.list_uploads(request);
    for (const store::UploadInfo& upload : batch) {
      const std::string common = common_prefix_of(upload.key, request.prefix, delimiter);
      const bool is_known = !common.empty() && common == last_prefix;
      if (!is_known && page.uploads.size() + page.common_prefixes.size() == max_uploads) {
        page.is_truncated = max_uploads > 0;
        return page;
      }
      request.after_key = upload.key;
      request.after_id = upload.id;
      if (is_known) continue;
      if (common.empty()) {
        page.uploads.push_back(upload);
        page.key_marker = upload.key;
        page.id_marker = upload.id;
      } else {
        page.common_prefixes.push_back(common);
        last_prefix = common;
        page.key_marker = common;
        page.id_marker.clear();
      }
    }
    if (batch.size() < request.limit) return page;
  }
}

}  // namespace

HttpResponse list_parts(const S3Call& call) {
  const store::UploadInfo upload = require_upload(call);
  const auto parts = with_upload([&] { return call.objects.list_parts(upload.id); });
  const std::size_t limit = read_limit(call, "max-parts", kMaxParts);
  const std::size_t after = call.query("part-number-marker").empty()
                                ? 0
                                : read_limit(call, "part-number-marker", kMaxPartNumber);
  XmlWriter xml("ListPartsResult");
  xml.text("Bucket", call.address.bucket).text("Key", call.address.key);
  xml.text("UploadId", upload.id).number("PartNumberMarker", after);
  write_checksum_kind(xml, upload);
  std::size_t written = 0;
  std::uint64_t last = after;
  bool is_truncated = false;
  for (const store::UploadedPart& part : parts) {
    const auto number = static_cast<std::uint64_t>(part.number);
    if (number <= after) continue;
    if (written == limit) {
      is_truncated = limit > 0;
      break;
    }
    xml.open("Part").number("PartNumber", number);
    xml.text("LastModified", base::to_iso8601(part.last_modified));
    xml.text("ETag", quoted_etag(part.etag)).number("Size", part.size);
    write_checksums(xml, part.headers);
    xml.close();
    last = number;
    ++written;
  }
  if (is_truncated) xml.number("NextPartNumberMarker", last);
  xml.number("MaxParts", limit).boolean("IsTruncated", is_truncated);
  xml.text("StorageClass", "STANDARD");
  return xml_response(xml);
}

HttpResponse list_multipart_uploads(const S3Call& call) {
  require_bucket(call);
  const KeyText key_text(call);
  const std::size_t max_uploads = read_limit(call, "max-uploads", kMaxUploads);
  const UploadPage page = list_page(call, max_uploads);
  XmlWriter xml("ListMultipartUploadsResult");
  xml.text("Bucket", call.address.bucket).text("Prefix", key_text(call.query("prefix")));
  xml.text("KeyMarker", key_text(call.query("key-marker")));
  xml.text("UploadIdMarker", call.query("upload-id-marker"));
  if (call.has_query("delimiter")) xml.text("Delimiter", key_text(call.query("delimiter")));
  if (key_text.is_encoded()) xml.text("EncodingType", "url");
  if (page.is_truncated) {
    xml.text("NextKeyMarker", key_text(page.key_marker));
    xml.text("NextUploadIdMarker", page.id_marker);
  }
  xml.number("MaxUploads", max_uploads).boolean("IsTruncated", page.is_truncated);
  for (const store::UploadInfo& upload : page.uploads) {
    xml.open("Upload").text("Key", key_text(upload.key)).text("UploadId", upload.id);
    xml.text("Initiated", base::to_iso8601(upload.initiated));
    write_checksum_kind(xml, upload);
    xml.text("StorageClass", "STANDARD").close();
  }
  for (const std::string& prefix : page.common_prefixes) {
    xml.open("CommonPrefixes").text("Prefix", key_text(prefix)).close();
  }
  return xml_response(xml);
}

}  // namespace andon::api
