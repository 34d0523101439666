// SPDX-License-Identifier: Apache-2.0
// One S3 request on its way to an operation: which bucket and key, who asks, and what they may.
// Part of the S3 service's inside. Values; one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/authenticator.hpp"
#include "api/s3.hpp"
#include "api/s3_xml.hpp"
#include "base/time.hpp"
#include "store/object_store.hpp"
#include "wire/http.hpp"

namespace andon::api {

struct S3Address {
  std::string bucket;  // empty: the service itself
  std::string key;     // empty: the bucket itself
};

// Path-style, or virtual-host style where Host is "<bucket>.<host>" or "<bucket>.localhost". Throws
// S3Error for a path that is not percent-encoded UTF-8.
[[nodiscard]] S3Address read_address(const wire::HttpRequest& request, std::string_view host);
// "/bucket/key" or "bucket/key", percent-encoded, as x-amz-copy-source has it.
[[nodiscard]] S3Address read_copy_source(std::string_view text);

struct S3Call {
  const wire::HttpRequest& request;
  const Identity& identity;
  const S3Address& address;
  store::ObjectStore& objects;
  const base::Clock& clock;
  const S3Options& options;

  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
  [[nodiscard]] bool has_query(std::string_view name) const;
  // The decoded value, or "" where the parameter is absent.
  [[nodiscard]] std::string query(std::string_view name) const;
};

// What an operation does, for the rules on who may.
enum class S3Effect { reads, writes, uploads };
// Throws S3Error(AccessDenied). `uploads` is what a device may do, under its own prefix.
void authorize(const S3Call& call, S3Effect effect);
// For a key that is not the one of the address (DeleteObjects, copies).
[[nodiscard]] bool is_written_only_by_the_server(std::string_view bucket);

void require_bucket(const S3Call& call);  // throws S3Error(NoSuchBucket)
// The body of a small XML request, its digest checked. Throws S3Error(MalformedXML).
[[nodiscard]] XmlElement read_xml(const S3Call& call, std::size_t max_bytes);
[[nodiscard]] wire::HttpResponse xml_response(XmlWriter& xml);

[[nodiscard]] std::string quoted_etag(const std::string& etag);
[[nodiscard]] std::string unquoted_etag(std::string_view etag);

}  // namespace andon::api
