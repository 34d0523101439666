// SPDX-License-Identifier: Apache-2.0
// Room: s3/settings. What clients set on buckets and objects, as values: read from XML, forms and
// policy documents with limits, and written back. Nothing here knows a request or the store.
// Tags of buckets and objects. Pure; any thread. Problems are S3Error(InvalidTag, MalformedXML).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/s3/format/xml.hpp"

namespace andon::api {

using TagSet = std::map<std::string, std::string>;

inline constexpr std::size_t kMostObjectTags = 10;
inline constexpr std::size_t kMostBucketTags = 50;

// "a=b&c=d", percent-encoded: the header x-amz-tagging.
[[nodiscard]] TagSet read_tag_query(std::string_view text, std::size_t most = kMostObjectTags);
// <Tagging><TagSet><Tag>...
[[nodiscard]] TagSet read_tagging(const XmlElement& root, std::size_t most);
[[nodiscard]] std::string tagging_document(const TagSet& tags);
// One <Tag> with Key and Value.
[[nodiscard]] std::pair<std::string, std::string> read_tag(const XmlElement& element);

}  // namespace andon::api
