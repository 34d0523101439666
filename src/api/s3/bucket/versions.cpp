// SPDX-License-Identifier: Apache-2.0
// Whether a bucket keeps what was written before, and the list of what it keeps.
#include "api/s3/format/conditions.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/key_text.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/upload_checksum.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMaxBytes = 64U << 10U;
constexpr std::size_t kMaxKeys = 1000;

void write_version(XmlWriter& xml, const S3Call& call, const KeyText& key_text,
                   const store::ObjectVersion& version) {
  const store::ObjectInfo& object = version.object;
  xml.open(version.is_marker ? "DeleteMarker" : "Version").text("Key", key_text(object.key));
  xml.text("VersionId", object.version_id).boolean("IsLatest", version.is_latest);
  xml.text("LastModified", base::to_iso8601(object.last_modified));
  if (!version.is_marker) {
    xml.text("ETag", quoted_etag(object.etag)).number("Size", object.size);
    for (const ChecksumAlgorithm algorithm : kChecksumAlgorithms) {
      if (!object.headers.contains(std::string(header_name(algorithm)))) continue;
      xml.text("ChecksumAlgorithm", algorithm_name(algorithm));
      xml.text("ChecksumType", checksum_type_of(object.headers));
    }
    xml.text("StorageClass", "STANDARD");
  }
  xml.open("Owner").text("ID", call.identity.caller.account_id).close().close();
}

}  // namespace

wire::HttpResponse get_bucket_versioning(const S3Call& call) {
  require_bucket(call);
  const store::Versioning versioning = call.objects.versioning(call.address.bucket);
  XmlWriter xml("VersioningConfiguration");  // empty: never switched on
  if (versioning != store::Versioning::never) {
    xml.text("Status", versioning == store::Versioning::enabled ? "Enabled" : "Suspended");
  }
  return xml_response(xml);
}

wire::HttpResponse put_bucket_versioning(const S3Call& call) {
  require_bucket(call);
  const XmlElement root = read_xml(call, kMaxBytes);
  if (root.name != "VersioningConfiguration") {
    throw malformed_xml("expected VersioningConfiguration, not " + root.name);
  }
  refuse_other_members(root, {"Status"});
  const std::string status = root.child_text("Status").value_or("");
  if (status != "Enabled" && status != "Suspended") {
    throw malformed_xml("Status must be Enabled or Suspended");
  }
  call.objects.set_versioning(call.address.bucket, status == "Enabled"
                                                       ? store::Versioning::enabled
                                                       : store::Versioning::suspended);
  return {};
}

wire::HttpResponse list_object_versions(const S3Call& call) {
  require_bucket(call);
  const KeyText key_text(call);
  const std::size_t max_keys = read_limit(call, "max-keys", kMaxKeys);
  const store::VersionListRequest request{.bucket = call.address.bucket,
                                          .prefix = call.query("prefix"),
                                          .delimiter = call.query("delimiter"),
                                          .key_marker = call.query("key-marker"),
                                          .version_marker = call.query("version-id-marker"),
                                          .max_keys = max_keys};
  if (request.key_marker.empty() && !request.version_marker.empty()) {
    throw invalid_argument("A version-id marker cannot be specified without a key marker.");
  }
  const store::VersionPage page = call.objects.list_versions(request);
  XmlWriter xml("ListVersionsResult");
  xml.text("Name", call.address.bucket).text("Prefix", key_text(request.prefix));
  xml.text("KeyMarker", key_text(request.key_marker));
  xml.text("VersionIdMarker", request.version_marker);
  if (page.next_key_marker) {
    xml.text("NextKeyMarker", key_text(*page.next_key_marker));
    if (!page.next_version_marker.empty()) {
      xml.text("NextVersionIdMarker", page.next_version_marker);
    }
  }
  if (call.has_query("delimiter")) xml.text("Delimiter", key_text(request.delimiter));
  xml.number("MaxKeys", max_keys);
  if (key_text.is_encoded()) xml.text("EncodingType", "url");
  xml.boolean("IsTruncated", page.next_key_marker.has_value());
  for (const store::ObjectVersion& version : page.versions) {
    write_version(xml, call, key_text, version);
  }
  for (const std::string& prefix : page.common_prefixes) {
    xml.open("CommonPrefixes").text("Prefix", key_text(prefix)).close();
  }
  return xml_response(xml);
}

}  // namespace andon::api
