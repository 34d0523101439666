// SPDX-License-Identifier: Apache-2.0
// What a bucket of S3 may have and one of this store never has: the answers that say so, so that
// tools which look at everything go on.
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"

namespace andon::api {

using wire::HttpResponse;

namespace {

HttpResponse absent(const S3Call& call, const char* code, const char* sentence) {
  require_bucket(call);
  throw S3Error(404, code, sentence);
}

HttpResponse empty(const S3Call& call, const char* root) {
  require_bucket(call);
  XmlWriter xml(root);
  return xml_response(xml);
}

}  // namespace

HttpResponse get_bucket_encryption(const S3Call& call) {
  return absent(call, "ServerSideEncryptionConfigurationNotFoundError",
                "The server side encryption configuration was not found: this store does not "
                "encrypt objects; encrypt the disk that they are on");
}

HttpResponse get_bucket_website(const S3Call& call) {
  return absent(call, "NoSuchWebsiteConfiguration",
                "The specified bucket does not have a website configuration");
}

HttpResponse get_bucket_replication(const S3Call& call) {
  return absent(call, "ReplicationConfigurationNotFoundError",
                "The replication configuration was not found");
}

HttpResponse get_object_lock_configuration(const S3Call& call) {
  return absent(call, "ObjectLockConfigurationNotFoundError",
                "Object Lock configuration does not exist for this bucket");
}

HttpResponse get_bucket_accelerate(const S3Call& call) {
  return empty(call, "AccelerateConfiguration");
}

HttpResponse get_bucket_logging(const S3Call& call) {
  return empty(call, "BucketLoggingStatus");
}

HttpResponse get_bucket_request_payment(const S3Call& call) {
  require_bucket(call);
  XmlWriter xml("RequestPaymentConfiguration");
  xml.text("Payer", "BucketOwner");
  return xml_response(xml);
}

}  // namespace andon::api
