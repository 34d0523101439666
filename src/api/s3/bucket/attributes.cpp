// SPDX-License-Identifier: Apache-2.0
// GetObjectAttributes: what is known of an object without its content.
#include <algorithm>
#include <array>
#include <set>

#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/upload_checksum.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

std::set<std::string> read_wanted(const S3Call& call) {
  constexpr std::array<std::string_view, 5> kKnown{"ETag", "Checksum", "ObjectParts",
                                                   "StorageClass", "ObjectSize"};
  std::set<std::string> wanted;
  for (const auto& [name, value] : call.headers.fields()) {
    if (!base::equal_ignoring_case(name, "x-amz-object-attributes")) continue;
    for (const std::string_view part : base::split(value, ',')) {
      const std::string_view attribute = base::trim(part);
      if (std::ranges::find(kKnown, attribute) == kKnown.end()) {
        throw invalid_argument("Invalid attribute name specified: " +
                               std::string(attribute.substr(0, 64)));
      }
      wanted.emplace(attribute);
    }
  }
  if (wanted.empty()) throw invalid_argument("x-amz-object-attributes names no attribute");
  return wanted;
}

}  // namespace

wire::HttpResponse get_object_attributes(const S3Call& call) {
  const std::set<std::string> wanted = read_wanted(call);
  const store::ObjectInfo object = require_content(call);
  XmlWriter xml("GetObjectAttributesResponse");
  if (wanted.contains("ETag")) xml.text("ETag", object.etag);
  const KeptHeaders checksums = checksums_in(object.headers);
  if (wanted.contains("Checksum") && !checksums.empty()) {
    xml.open("Checksum");
    write_checksums(xml, checksums);
    xml.text("ChecksumType", checksum_type_of(object.headers)).close();
  }
  // An object that was uploaded in parts says in its ETag how many they were.
  const std::size_t dash = object.etag.find('-');
  if (wanted.contains("ObjectParts") && dash != std::string::npos) {
    const auto parts = base::parse_uint64(std::string_view(object.etag).substr(dash + 1));
    if (parts) xml.open("ObjectParts").number("PartsCount", *parts).close();
  }
  if (wanted.contains("StorageClass")) xml.text("StorageClass", "STANDARD");
  if (wanted.contains("ObjectSize")) xml.number("ObjectSize", object.size);
  wire::HttpResponse response = xml_response(xml);
  response.headers.set("Last-Modified", base::to_http_date(object.last_modified));
  add_version_id(response, object.version_id);
  return response;
}

}  // namespace andon::api
