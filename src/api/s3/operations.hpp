// SPDX-License-Identifier: Apache-2.0
// The S3 operations, one function each; s3.cpp's table says which request goes to which. They throw
// S3Error or base::Error. What buckets have beside objects is in the room s3/bucket: what is
// configured, versions, tags, and what is answered for the sake of tools alone. Part of the S3
// service's inside; any thread.
#pragma once

#include "api/s3/call.hpp"
#include "api/s3/format/conditions.hpp"
#include "api/s3/format/error.hpp"
#include "base/error/error.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

// bucket/buckets.cpp
[[nodiscard]] wire::HttpResponse list_buckets(const S3Call& call);
[[nodiscard]] wire::HttpResponse create_bucket(const S3Call& call);
[[nodiscard]] wire::HttpResponse head_bucket(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_bucket(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_location(const S3Call& call);

// bucket/versions.cpp
[[nodiscard]] wire::HttpResponse get_bucket_versioning(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_bucket_versioning(const S3Call& call);
[[nodiscard]] wire::HttpResponse list_object_versions(const S3Call& call);

// bucket/notification.cpp
[[nodiscard]] wire::HttpResponse get_bucket_notification(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_bucket_notification(const S3Call& call);

// bucket/policy.cpp
[[nodiscard]] wire::HttpResponse get_bucket_policy(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_bucket_policy(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_bucket_policy(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_policy_status(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_public_access_block(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_public_access_block(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_public_access_block(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_ownership_controls(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_bucket_ownership_controls(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_bucket_ownership_controls(const S3Call& call);

// bucket/access_list.cpp
[[nodiscard]] wire::HttpResponse get_bucket_acl(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_bucket_acl(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_object_acl(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_object_acl(const S3Call& call);

// bucket/tagging.cpp
[[nodiscard]] wire::HttpResponse get_bucket_tagging(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_bucket_tagging(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_bucket_tagging(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_object_tagging(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_object_tagging(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_object_tagging(const S3Call& call);

// bucket/lifecycle.cpp
[[nodiscard]] wire::HttpResponse get_bucket_lifecycle(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_bucket_lifecycle(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_bucket_lifecycle(const S3Call& call);

// bucket/cors.cpp
[[nodiscard]] wire::HttpResponse get_bucket_cors(const S3Call& call);
[[nodiscard]] wire::HttpResponse put_bucket_cors(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_bucket_cors(const S3Call& call);

// bucket/absent.cpp
[[nodiscard]] wire::HttpResponse get_bucket_encryption(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_website(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_replication(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_object_lock_configuration(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_accelerate(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_logging(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_request_payment(const S3Call& call);

// bucket/attributes.cpp
[[nodiscard]] wire::HttpResponse get_object_attributes(const S3Call& call);

// What comes without an operation: the question of a browser before it asks (OPTIONS), what every
// answer to a page of another origin says, and forms (bucket/cors.cpp, bucket/post_object.cpp).
[[nodiscard]] wire::HttpResponse answer_preflight(const store::ObjectStore& objects,
                                                  const wire::HttpRequest& request,
                                                  const std::string& bucket);
void add_cors_headers(const store::ObjectStore& objects, const wire::HttpRequest& request,
                      const std::string& bucket, wire::HttpResponse& response);
// An unsigned POST to a bucket whose body is a form.
[[nodiscard]] bool is_post_object(const wire::HttpRequest& request, const S3Address& address);
inline constexpr std::uint64_t kMaxForm = 100ULL << 20U;
// Of a form whose first kFormStart bytes are there: throws where nobody whom we know has signed it.
void check_signer(const wire::HttpRequest& request, const Authenticator& authenticator);
[[nodiscard]] wire::HttpResponse post_object(const S3Call& call,
                                             const Authenticator& authenticator);

// lists.cpp
[[nodiscard]] wire::HttpResponse list_objects_v1(const S3Call& call);
[[nodiscard]] wire::HttpResponse list_objects_v2(const S3Call& call);

// objects.cpp, bucket/delete_objects.cpp
[[nodiscard]] wire::HttpResponse put_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse head_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_objects(const S3Call& call);

// copies.cpp
[[nodiscard]] wire::HttpResponse copy_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse upload_part_copy(const S3Call& call);

// multipart.cpp
[[nodiscard]] wire::HttpResponse create_multipart_upload(const S3Call& call);
[[nodiscard]] wire::HttpResponse upload_part(const S3Call& call);
[[nodiscard]] wire::HttpResponse complete_multipart_upload(const S3Call& call);
[[nodiscard]] wire::HttpResponse abort_multipart_upload(const S3Call& call);

// upload_lists.cpp
[[nodiscard]] wire::HttpResponse list_parts(const S3Call& call);
[[nodiscard]] wire::HttpResponse list_multipart_uploads(const S3Call& call);

// Of an object or version that has none: NoSuchKey, NoSuchVersion, MethodNotAllowed.
[[nodiscard]] S3Error no_content(const S3Call& call, const std::string& version_id);
// What the query's versionId names, or the latest. Throws S3Error.
[[nodiscard]] store::ObjectInfo require_content(const S3Call& call);

// Content type, x-amz-meta-... and the other header fields that are kept with an object.
[[nodiscard]] store::PutOptions read_put_options(const S3Call& call);

// x-amz-tagging may bring tags that its sender may give. Throws S3Error(AccessDenied).
void authorize_tags(const S3Call& call, const S3Address& object);
// Of a DELETE of the latest (an empty id) or of one version.
store::Removal remove_checked(const S3Call& call, const std::string& key,
                              const std::string& version_id, const DeleteConditions& conditions);

// Of the operations on one upload.
[[nodiscard]] S3Error no_such_upload();
[[nodiscard]] store::UploadInfo require_upload(const S3Call& call);  // of this very bucket and key
[[nodiscard]] int read_part_number(const S3Call& call);

template <typename Work>
auto with_upload(const Work& work) {
  try {
    return work();
  } catch (const base::Error& error) {
    // Completed or aborted by another request since it was looked up.
    if (error.code() == base::ErrorCode::not_found) throw no_such_upload();
    throw;
  }
}

}  // namespace andon::api
