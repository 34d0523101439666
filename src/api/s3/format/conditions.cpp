// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/conditions.hpp"

#include <algorithm>

#include "api/s3/format/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "base/time/http_date.hpp"

namespace andon::api {
namespace {

// "*", or one of a list of entity tags.
bool names_etag(std::string_view header, const std::string& etag) {
  while (!header.empty()) {
    const std::string_view item = base::trim(base::take_part(header, ','));
    if (item == "*" || unquoted_etag(item) == etag) return true;
  }
  return false;
}

S3Error not_as_wanted(const std::string& condition) {
  return {412, "PreconditionFailed",
          "the object is not as the request wants it to be (" + condition + ")"};
}

}  // namespace

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

std::optional<base::Timestamp> parse_date(std::string_view text) {
  const auto date = base::parse_http_date(text);
  return date ? date : base::parse_iso8601(text);
}

base::Timestamp require_date(std::string_view name, std::string_view text) {
  const auto date = parse_date(text);
  if (!date) throw invalid_argument(std::string(name) + " is not a date that can be read");
  return *date;
}

base::Timestamp whole_seconds(base::Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

ReadCondition check_conditions(const wire::Headers& headers, const store::ObjectInfo& object) {
  const auto modified = whole_seconds(object.last_modified);
  const auto date_of = [&](std::string_view name) -> std::optional<base::Timestamp> {
    const auto field = headers.find(name);
    return field ? parse_date(*field) : std::nullopt;
  };
  if (const auto match = headers.find("If-Match")) {
    if (!names_etag(*match, object.etag)) return ReadCondition::failed;
  } else if (const auto since = date_of("If-Unmodified-Since"); since && modified > *since) {
    return ReadCondition::failed;
  }
  if (const auto none_match = headers.find("If-None-Match")) {
    if (names_etag(*none_match, object.etag)) return ReadCondition::not_modified;
  } else if (const auto since = date_of("If-Modified-Since"); since && modified <= *since) {
    return ReadCondition::not_modified;
  }
  return ReadCondition::met;
}

bool is_range_meant(const wire::Headers& headers, const store::ObjectInfo& object) {
  const auto field = headers.find("If-Range");
  if (!field) return true;
  // A weak tag never says that the bytes are the same.
  if (field->starts_with('"')) return *field == quoted_etag(object.etag);
  return parse_date(*field) == whole_seconds(object.last_modified);
}

void check_source_conditions(const wire::Headers& headers, const store::ObjectInfo& source) {
  constexpr std::string_view kPrefix = "x-amz-copy-source-";
  wire::Headers conditions;
  for (const auto& [name, value] : headers.fields()) {
    const std::string lowered = base::to_lower(name);
    if (!lowered.starts_with("x-amz-copy-source-if-")) continue;
    if (lowered.ends_with("-since")) (void)require_date(lowered, value);
    conditions.set(lowered.substr(kPrefix.size()), value);
  }
  if (check_conditions(conditions, source) != ReadCondition::met) {
    throw not_as_wanted("x-amz-copy-source-if-...");
  }
}

void check_write_conditions(const wire::Headers& headers,
                            const std::optional<store::ObjectInfo>& old) {
  if (const auto match = headers.find("If-Match")) {
    if (!old || !names_etag(*match, old->etag)) throw not_as_wanted("If-Match");
  }
  if (const auto none_match = headers.find("If-None-Match")) {
    if (old && names_etag(*none_match, old->etag)) throw not_as_wanted("If-None-Match");
  }
}

DeleteConditions read_delete_conditions(const wire::Headers& headers) {
  const auto field = [&](std::string_view name) { return headers.find(name).value_or(""); };
  return read_delete_conditions(field("If-Match"), field("x-amz-if-match-last-modified-time"),
                                field("x-amz-if-match-size"));
}

DeleteConditions read_delete_conditions(std::string_view etag, std::string_view last_modified,
                                        std::string_view size) {
  DeleteConditions conditions;
  if (!etag.empty()) conditions.etag = std::string(etag);
  if (!last_modified.empty()) {
    conditions.last_modified = require_date("the time of last modification", last_modified);
  }
  if (!size.empty()) {
    conditions.size = base::parse_uint64(size);
    if (!conditions.size) throw invalid_argument("the size must be a whole number from 0 on");
  }
  return conditions;
}

void check_delete_conditions(const DeleteConditions& conditions,
                             const std::optional<store::ObjectInfo>& object) {
  if (conditions.etag && (!object || !names_etag(*conditions.etag, object->etag))) {
    throw not_as_wanted("ETag");
  }
  if (conditions.last_modified && (!object || whole_seconds(object->last_modified) !=
                                                  whole_seconds(*conditions.last_modified))) {
    throw not_as_wanted("LastModifiedTime");
  }
  if (conditions.size && (!object || object->size != *conditions.size)) {
    throw not_as_wanted("Size");
  }
}

}  // namespace andon::api
