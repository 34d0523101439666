// SPDX-License-Identifier: Apache-2.0
#include "api/s3_error.hpp"
#include "api/s3_operations.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMaxConfigurationBytes = 64U << 10U;

}  // namespace

wire::HttpResponse list_buckets(const S3Call& call) {
  XmlWriter xml("ListAllMyBucketsResult");
  xml.open("Owner").text("ID", call.identity.caller.account_id);
  xml.text("DisplayName", call.identity.caller.principal).close();
  xml.open("Buckets");
  for (const auto& [name, created] : call.objects.list_buckets()) {
    xml.open("Bucket").text("Name", name);
    xml.text("CreationDate", base::to_iso8601(created)).close();
  }
  return xml_response(xml);
}

wire::HttpResponse create_bucket(const S3Call& call) {
  if (call.request.body.size() > 0) {
    const XmlElement root = read_xml(call, kMaxConfigurationBytes);
    if (root.name != "CreateBucketConfiguration") {
      throw malformed_xml("expected CreateBucketConfiguration, not " + root.name);
    }
  }
  try {
    call.objects.create_bucket(call.address.bucket);
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::invalid_argument) throw;
    throw S3Error(400, "InvalidBucketName", error.message());
  }
  wire::HttpResponse response;
  response.headers.set("Location", "/" + call.address.bucket);
  return response;
}

wire::HttpResponse head_bucket(const S3Call& call) {
  require_bucket(call);
  wire::HttpResponse response;
  response.headers.set("x-amz-bucket-region", call.options.region);
  return response;
}

wire::HttpResponse delete_bucket(const S3Call& call) {
  require_bucket(call);
  try {
    call.objects.delete_bucket(call.address.bucket);
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::failed_precondition) throw;
    throw S3Error(409, "BucketNotEmpty", error.message());
  }
  return {.status = 204};
}

wire::HttpResponse get_bucket_location(const S3Call& call) {
  require_bucket(call);
  // The oldest region has no name here.
  const bool is_unnamed = call.options.region == "us-east-1";
  wire::HttpResponse response;
  response.headers.set("Content-Type", "application/xml");
  response.body =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
      (is_unnamed ? std::string() : call.options.region) + "</LocationConstraint>";
  return response;
}

wire::HttpResponse get_bucket_versioning(const S3Call& call) {
  require_bucket(call);
  XmlWriter xml("VersioningConfiguration");  // empty: never switched on
  return xml_response(xml);
}

}  // namespace andon::api
