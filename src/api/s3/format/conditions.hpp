// SPDX-License-Identifier: Apache-2.0
// The conditions on an object: of reads (RFC 9110 section 13), of the source of a copy, of what a
// write replaces and of what a delete removes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "store/objects/object_store.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

[[nodiscard]] std::string quoted_etag(const std::string& etag);
[[nodiscard]] std::string unquoted_etag(std::string_view etag);

enum class ReadCondition { met, not_modified, failed };
// If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, in the order of the RFC; a date
// that cannot be read is no condition.
[[nodiscard]] ReadCondition check_conditions(const wire::Headers& headers,
                                             const store::ObjectInfo& object);
// May the Range of the request count? Not where its If-Range names another object (RFC
// 9110 13.1.5).
[[nodiscard]] bool is_range_meant(const wire::Headers& headers, const store::ObjectInfo& object);

// x-amz-copy-source-if-...: throws S3Error(PreconditionFailed) unless all are met, and
// S3Error(InvalidArgument) for a date that cannot be read.
void check_source_conditions(const wire::Headers& headers, const store::ObjectInfo& source);

// If-Match and If-None-Match of what replaces `old`. Throws S3Error(PreconditionFailed).
void check_write_conditions(const wire::Headers& headers,
                            const std::optional<store::ObjectInfo>& old);

// What an object that is to be deleted must be.
struct DeleteConditions {
  std::optional<std::string> etag;  // or "*"
  std::optional<base::Timestamp> last_modified;
  std::optional<std::uint64_t> size;
};
// If-Match, x-amz-if-match-last-modified-time, x-amz-if-match-size. Throws
// S3Error(InvalidArgument).
[[nodiscard]] DeleteConditions read_delete_conditions(const wire::Headers& headers);
// The same from the members of DeleteObjects' Object; empty texts are absent.
[[nodiscard]] DeleteConditions read_delete_conditions(std::string_view etag,
                                                      std::string_view last_modified,
                                                      std::string_view size);
// Throws S3Error(PreconditionFailed).
void check_delete_conditions(const DeleteConditions& conditions,
                             const std::optional<store::ObjectInfo>& object);

// A date of HTTP, or of ISO 8601.
[[nodiscard]] std::optional<base::Timestamp> parse_date(std::string_view text);
// Throws S3Error(InvalidArgument) naming `name`.
[[nodiscard]] base::Timestamp require_date(std::string_view name, std::string_view text);
// Headers have whole seconds.
[[nodiscard]] base::Timestamp whole_seconds(base::Timestamp time);

}  // namespace andon::api
