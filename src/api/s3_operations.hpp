// SPDX-License-Identifier: Apache-2.0
// The S3 operations, one function each; s3.cpp's table says which request goes to which. They throw
// S3Error or base::Error. Part of the S3 service's inside; any thread.
#pragma once

#include "api/s3_call.hpp"
#include "wire/http.hpp"

namespace andon::api {

// s3_buckets.cpp
[[nodiscard]] wire::HttpResponse list_buckets(const S3Call& call);
[[nodiscard]] wire::HttpResponse create_bucket(const S3Call& call);
[[nodiscard]] wire::HttpResponse head_bucket(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_bucket(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_location(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_bucket_versioning(const S3Call& call);

// s3_lists.cpp
[[nodiscard]] wire::HttpResponse list_objects_v1(const S3Call& call);
[[nodiscard]] wire::HttpResponse list_objects_v2(const S3Call& call);

// s3_objects.cpp
[[nodiscard]] wire::HttpResponse put_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse copy_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse get_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse head_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_object(const S3Call& call);
[[nodiscard]] wire::HttpResponse delete_objects(const S3Call& call);

// s3_multipart.cpp
[[nodiscard]] wire::HttpResponse create_multipart_upload(const S3Call& call);
[[nodiscard]] wire::HttpResponse upload_part(const S3Call& call);
[[nodiscard]] wire::HttpResponse upload_part_copy(const S3Call& call);
[[nodiscard]] wire::HttpResponse complete_multipart_upload(const S3Call& call);
[[nodiscard]] wire::HttpResponse abort_multipart_upload(const S3Call& call);
[[nodiscard]] wire::HttpResponse list_parts(const S3Call& call);
[[nodiscard]] wire::HttpResponse list_multipart_uploads(const S3Call& call);

// Content type, x-amz-meta-... and the other header fields that are kept with an object.
[[nodiscard]] store::PutOptions read_put_options(const S3Call& call);

}  // namespace andon::api
