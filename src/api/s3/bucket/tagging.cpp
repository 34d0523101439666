// SPDX-License-Identifier: Apache-2.0
// Tags of buckets and of objects.
#include "api/s3/settings/tagging.hpp"

#include "api/s3/access.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"

namespace andon::api {
namespace {

using store::BucketSetting;
using wire::HttpResponse;

constexpr std::size_t kMaxBytes = 64U << 10U;

HttpResponse set_object_tags(const S3Call& call, const TagSet& tags, int status) {
  require_bucket(call);
  const std::string version_id = read_version_id(call);
  const auto object =
      call.objects.set_tags(call.address.bucket, call.address.key, version_id, tags);
  if (!object) throw no_content(call, version_id);
  HttpResponse response{.status = status};
  add_version_id(response, object->version_id);
  return response;
}

}  // namespace

HttpResponse get_bucket_tagging(const S3Call& call) {
  require_bucket(call);
  auto document = call.objects.bucket_setting(call.address.bucket, BucketSetting::tags);
  if (!document) throw S3Error(404, "NoSuchTagSet", "The TagSet does not exist");
  return xml_response(*std::move(document));
}

HttpResponse put_bucket_tagging(const S3Call& call) {
  require_bucket(call);
  const TagSet tags = read_tagging(read_xml(call, kMaxBytes), kMostBucketTags);
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::tags, tagging_document(tags));
  return {.status = 204};
}

HttpResponse delete_bucket_tagging(const S3Call& call) {
  require_bucket(call);
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::tags, std::nullopt);
  return {.status = 204};
}

HttpResponse get_object_tagging(const S3Call& call) {
  const store::ObjectInfo object = require_content(call);
  HttpResponse response = xml_response(tagging_document(object.tags));
  add_version_id(response, object.version_id);
  return response;
}

HttpResponse put_object_tagging(const S3Call& call) {
  const TagSet tags = read_tagging(read_xml(call, kMaxBytes), kMostObjectTags);
  // Conditions may be about the tags that come.
  authorize_object(
      call, read_version_id(call).empty() ? "s3:PutObjectTagging" : "s3:PutObjectVersionTagging",
      call.address, tag_keys(tags));
  return set_object_tags(call, tags, 200);
}

HttpResponse delete_object_tagging(const S3Call& call) {
  return set_object_tags(call, {}, 204);
}

}  // namespace andon::api
