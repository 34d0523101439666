// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "api/s3/access.hpp"
#include "api/s3/format/conditions.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMaxDeleteBytes = 8U << 20U;
constexpr std::size_t kMaxDeletedKeys = 1000;

struct WantedDelete {
  std::string key;
  std::string version_id;
  std::string etag;
  std::string last_modified;
  std::string size;
};

struct DeleteRequest {
  std::vector<WantedDelete> objects;
  bool is_quiet = false;
};

DeleteRequest read_request(const XmlElement& root) {
  if (root.name != "Delete") throw malformed_xml("expected Delete, not " + root.name);
  refuse_other_members(root, {"Object", "Quiet"});
  DeleteRequest request;
  const std::string quiet = root.child_text("Quiet").value_or("false");
  if (quiet != "true" && quiet != "false") throw malformed_xml("Quiet must be true or false");
  request.is_quiet = quiet == "true";
  for (const XmlElement& child : root.children) {
    if (child.name != "Object") continue;
    refuse_other_members(child, {"Key", "VersionId", "ETag", "LastModifiedTime", "Size"});
    const auto text = [&](const char* name) { return child.child_text(name).value_or(""); };
    if (text("Key").empty()) throw malformed_xml("expected Object with a Key");
    request.objects.push_back(
        {text("Key"), text("VersionId"), text("ETag"), text("LastModifiedTime"), text("Size")});
  }
  if (request.objects.empty() || request.objects.size() > kMaxDeletedKeys) {
    throw malformed_xml("a request deletes 1 to 1000 objects");
  }
  return request;
}

store::Removal remove_one(const S3Call& call, const WantedDelete& wanted) {
  authorize_object(call, wanted.version_id.empty() ? "s3:DeleteObject" : "s3:DeleteObjectVersion",
                   {.bucket = call.address.bucket, .key = wanted.key},
                   version_keys(wanted.version_id));
  return remove_checked(call, wanted.key, wanted.version_id,
                        read_delete_conditions(wanted.etag, wanted.last_modified, wanted.size));
}

}  // namespace

wire::HttpResponse delete_objects(const S3Call& call) {
  require_bucket(call);
  const DeleteRequest request = read_request(read_xml(call, kMaxDeleteBytes));
  XmlWriter xml("DeleteResult");
  const auto refuse = [&](const WantedDelete& wanted, const S3Error& error) {
    xml.open("Error").text("Key", wanted.key);
    if (!wanted.version_id.empty()) xml.text("VersionId", wanted.version_id);
    xml.text("Code", error.code()).text("Message", error.what()).close();
  };
  for (const WantedDelete& wanted : request.objects) {
    try {
      const store::Removal removal = remove_one(call, wanted);
      if (request.is_quiet) continue;
      xml.open("Deleted").text("Key", wanted.key);
      if (!wanted.version_id.empty()) xml.text("VersionId", wanted.version_id);
      if (removal.is_marker) {
        xml.boolean("DeleteMarker", true).text("DeleteMarkerVersionId", removal.version_id);
      }
      xml.close();
    } catch (const S3Error& error) {
      refuse(wanted, error);
    } catch (const base::Error& error) {
      refuse(wanted, translate_for_s3(error));
    }
  }
  return xml_response(xml);
}

}  // namespace andon::api
