// SPDX-License-Identifier: Apache-2.0
// The policy of a bucket, and whether it may be public.
#include "api/s3/access.hpp"
#include "api/s3/body.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"

namespace andon::api {
namespace {

using store::BucketSetting;
using wire::HttpResponse;

constexpr std::size_t kMaxBytes = 64U << 10U;

std::string require_policy(const S3Call& call) {
  require_bucket(call);
  auto text = call.objects.bucket_setting(call.address.bucket, BucketSetting::policy);
  if (!text) throw S3Error(404, "NoSuchBucketPolicy", "The bucket policy does not exist");
  return *std::move(text);
}

PublicAccessBlock block_of(const S3Call& call) {
  return PublicAccessBlock::of(
      call.objects.bucket_setting(call.address.bucket, BucketSetting::public_access));
}

}  // namespace

HttpResponse get_bucket_policy(const S3Call& call) {
  HttpResponse response;
  response.headers.set("Content-Type", "application/json");
  response.body = require_policy(call);
  return response;
}

HttpResponse put_bucket_policy(const S3Call& call) {
  require_bucket(call);
  const std::string text = read_checked_body(call, kMaxBytes);
  const BucketPolicy policy(text, call.address.bucket);
  if (policy.is_public() && block_of(call).block_public_policy) {
    throw S3Error(403, "AccessDenied",
                  "User: " + call.identity.caller.principal +
                      " is not authorized to perform: s3:PutBucketPolicy because public policies "
                      "are blocked by the BlockPublicPolicy block public access setting of the "
                      "bucket (PutPublicAccessBlock, DeletePublicAccessBlock)");
  }
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::policy, text);
  return {.status = 204};
}

HttpResponse delete_bucket_policy(const S3Call& call) {
  require_bucket(call);
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::policy, std::nullopt);
  return {.status = 204};
}

HttpResponse get_bucket_policy_status(const S3Call& call) {
  const BucketPolicy policy(require_policy(call), call.address.bucket);
  XmlWriter xml("PolicyStatus");
  xml.boolean("IsPublic", policy.is_public());
  return xml_response(xml);
}

HttpResponse get_public_access_block(const S3Call& call) {
  require_bucket(call);
  const auto setting =
      call.objects.bucket_setting(call.address.bucket, BucketSetting::public_access);
  if (setting == kNoBlock) {
    throw S3Error(404, "NoSuchPublicAccessBlockConfiguration",
                  "The public access block configuration was not found");
  }
  return xml_response(PublicAccessBlock::of(setting).document());
}

HttpResponse put_public_access_block(const S3Call& call) {
  require_bucket(call);
  const auto block = PublicAccessBlock::read(read_xml(call, kMaxBytes));
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::public_access,
                                  block.document());
  return {};
}

HttpResponse delete_public_access_block(const S3Call& call) {
  require_bucket(call);
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::public_access, kNoBlock);
  return {.status = 204};
}

HttpResponse get_bucket_ownership_controls(const S3Call& call) {
  require_bucket(call);
  XmlWriter xml("OwnershipControls");
  xml.open("Rule").text("ObjectOwnership", "BucketOwnerEnforced");
  return xml_response(xml);
}

HttpResponse put_bucket_ownership_controls(const S3Call& call) {
  require_bucket(call);
  const XmlElement root = read_xml(call, kMaxBytes);
  if (root.name != "OwnershipControls") {
    throw malformed_xml("expected OwnershipControls, not " + root.name);
  }
  refuse_other_members(root, {"Rule"});
  if (root.children.size() != 1) throw malformed_xml("OwnershipControls has one Rule");
  refuse_other_members(root.children.front(), {"ObjectOwnership"});
  const std::string wanted = root.children.front().child_text("ObjectOwnership").value_or("");
  if (wanted == "BucketOwnerEnforced") return {};
  if (wanted != "BucketOwnerPreferred" && wanted != "ObjectWriter") {
    throw malformed_xml("ObjectOwnership must be BucketOwnerEnforced");
  }
  throw not_implemented("this store does not support ObjectOwnership: " + wanted +
                        " (there is one owner and no access lists: BucketOwnerEnforced)");
}

HttpResponse delete_bucket_ownership_controls(const S3Call& call) {
  require_bucket(call);
  throw not_implemented(
      "this store cannot take back BucketOwnerEnforced: there is one owner and no access lists");
}

}  // namespace andon::api
