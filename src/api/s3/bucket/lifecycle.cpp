// SPDX-License-Identifier: Apache-2.0
// The lifecycle of a bucket as clients set it; the store carries it out (ObjectStore::expire).
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/settings/lifecycle_document.hpp"

namespace andon::api {
namespace {

using store::BucketSetting;
using wire::HttpResponse;

constexpr std::size_t kMaxBytes = 2U << 20U;

}  // namespace

HttpResponse get_bucket_lifecycle(const S3Call& call) {
  require_bucket(call);
  const auto rules = call.objects.bucket_setting(call.address.bucket, BucketSetting::lifecycle);
  if (!rules) {
    throw S3Error(404, "NoSuchLifecycleConfiguration",
                  "The lifecycle configuration does not exist");
  }
  return xml_response(lifecycle_document(store::lifecycle_from_text(*rules)));
}

HttpResponse put_bucket_lifecycle(const S3Call& call) {
  require_bucket(call);
  const auto rules = read_lifecycle(read_xml(call, kMaxBytes));
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::lifecycle,
                                  store::lifecycle_to_text(rules));
  return {};
}

HttpResponse delete_bucket_lifecycle(const S3Call& call) {
  require_bucket(call);
  call.objects.set_bucket_setting(call.address.bucket, BucketSetting::lifecycle, std::nullopt);
  return {.status = 204};
}

}  // namespace andon::api
