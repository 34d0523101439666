// SPDX-License-Identifier: Apache-2.0
// One S3 request on its way to an operation: which bucket and key, who asks, and what they may.
// Part of the S3 service's inside. Values; one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/audit/call_audit.hpp"
#include "api/s3/format/checksum.hpp"
#include "api/s3/format/xml.hpp"
#include "api/s3/s3.hpp"
#include "api/table/authenticator.hpp"
#include "base/time/time.hpp"
#include "store/objects/object_store.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

struct S3Address {
  std::string bucket;  // empty: the service itself
  std::string key;     // empty: the bucket itself
};

// Path-style, or virtual-host style where Host is "<bucket>.<host>" or "<bucket>.localhost". Throws
// S3Error for a path that is not percent-encoded UTF-8.
[[nodiscard]] S3Address read_address(const wire::HttpRequest& request, std::string_view host);
// "/bucket/key" or "bucket/key", percent-encoded (the slash too, if you like), as
// x-amz-copy-source has it; "?versionId=..." may follow.
struct CopySource {
  S3Address object;
  std::string version_id;  // empty: the latest
};
[[nodiscard]] CopySource read_copy_source(std::string_view text);
// The fields of the header, and those that a presigned URL has in its query instead
// (x-amz-acl=...).
[[nodiscard]] wire::Headers read_headers(const wire::HttpRequest& request);

// How the checksums of a body are taken.
struct BodyRules {
  // Computed also where the client sends none; another one is then refused.
  std::optional<ChecksumAlgorithm> algorithm;
  // x-amz-checksum-... is about something else than the body.
  bool ignore_checksum_headers = false;
};

class BucketPolicies;

struct S3Call {
  const wire::HttpRequest& request;
  const wire::Headers& headers;  // read_headers() of the request
  const Identity& identity;
  const S3Address& address;
  store::ObjectStore& objects;
  const base::Clock& clock;
  const S3Options& options;
  BucketPolicies& policies;
  CallAudit* audit = nullptr;  // is told what the call is about; null: nobody is

  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
  [[nodiscard]] bool has_query(std::string_view name) const;
  // The decoded value, or "" where the parameter is absent.
  [[nodiscard]] std::string query(std::string_view name) const;
};

// The query's versionId; empty: the latest. Throws S3Error(InvalidArgument) for an empty one.
[[nodiscard]] std::string read_version_id(const S3Call& call);
// x-amz-version-id, where the bucket has versions.
void add_version_id(wire::HttpResponse& response, const std::string& version_id);

// "arn:aws:s3:::bucket/key"; "*" for the service itself.
[[nodiscard]] std::string resource_of(const S3Address& address);

void require_bucket(const S3Call& call);  // throws S3Error(NoSuchBucket)
// What a device may have in kUploadBucket; none for operators.
[[nodiscard]] std::optional<store::Quota> quota_of(const S3Call& call);
// A whole number in the query, at most `most` (larger ones count as that); `most` where it is
// absent. Throws S3Error(InvalidArgument) naming it.
[[nodiscard]] std::size_t read_limit(const S3Call& call, std::string_view name, std::size_t most);
// The body of a small XML request, its digest checked. Throws S3Error(MalformedXML).
[[nodiscard]] XmlElement read_xml(const S3Call& call, std::size_t max_bytes,
                                  const BodyRules& rules = {});
[[nodiscard]] wire::HttpResponse xml_response(XmlWriter& xml);
[[nodiscard]] wire::HttpResponse xml_response(std::string document);

}  // namespace andon::api
