// SPDX-License-Identifier: Apache-2.0
// Access lists, of which there is one: the owner may do everything. Policies say the rest.
#include <fmt/format.h>

#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"

namespace andon::api {
namespace {

using wire::HttpResponse;

constexpr std::size_t kMaxBytes = 64U << 10U;

HttpResponse owner_only(const S3Call& call) {
  // With attributes, which XmlWriter has not.
  return xml_response(fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Owner><ID>{0}</ID></Owner><AccessControlList><Grant>"
      "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:type=\"CanonicalUser\"><ID>{0}</ID></Grantee>"
      "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>",
      call.identity.caller.account_id));
}

// The one list that there is, and no other.
void check_list(const S3Call& call) {
  if (call.request.body.size() == 0) {
    if (call.header("x-amz-acl")) return;  // the table of parameters has looked at its value
    throw S3Error(400, "MissingSecurityHeader",
                  "Your request was missing a required header: x-amz-acl");
  }
  const XmlElement root = read_xml(call, kMaxBytes);
  if (root.name != "AccessControlPolicy") {
    throw malformed_xml("expected AccessControlPolicy, not " + root.name);
  }
  refuse_other_members(root, {"Owner", "AccessControlList"});
  const XmlElement* list = root.child("AccessControlList");
  if (list == nullptr) throw malformed_xml("expected AccessControlPolicy with AccessControlList");
  for (const XmlElement& grant : list->children) {
    const XmlElement* grantee = grant.child("Grantee");
    const bool is_owners = list->children.size() == 1 && grantee != nullptr &&
                           grantee->child_text("ID") == call.identity.caller.account_id &&
                           grant.child_text("Permission") == "FULL_CONTROL";
    if (!is_owners) throw no_access_lists();
  }
}

}  // namespace

HttpResponse get_bucket_acl(const S3Call& call) {
  require_bucket(call);
  return owner_only(call);
}

HttpResponse put_bucket_acl(const S3Call& call) {
  require_bucket(call);
  check_list(call);
  return {};
}

HttpResponse get_object_acl(const S3Call& call) {
  HttpResponse response = owner_only(call);
  add_version_id(response, require_content(call).version_id);
  return response;
}

HttpResponse put_object_acl(const S3Call& call) {
  HttpResponse response;
  add_version_id(response, require_content(call).version_id);
  check_list(call);
  return response;
}

}  // namespace andon::api
