// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMaxConfigurationBytes = 64U << 10U;
constexpr std::size_t kMaxBuckets = 10'000;

// The configuration may say where the bucket is to be; that is here, or where the client thinks
// that here is.
void check_configuration(const S3Call& call) {
  const XmlElement root = read_xml(call, kMaxConfigurationBytes);
  if (root.name != "CreateBucketConfiguration") {
    throw malformed_xml("expected CreateBucketConfiguration, not " + root.name);
  }
  refuse_other_members(root, {"LocationConstraint"});
  const std::string place = root.child_text("LocationConstraint").value_or("");
  if (place.empty() || place == call.options.region || place == call.identity.caller.region) return;
  throw S3Error(400, "IllegalLocationConstraintException",
                "this store is in region " + call.options.region + ", not in " + place);
}

}  // namespace

wire::HttpResponse list_buckets(const S3Call& call) {
  const std::string prefix = call.query("prefix");
  const std::string region = call.query("bucket-region");
  const std::string token = call.query("continuation-token");
  const auto after = token.empty() ? std::string() : base::from_base64url(token);
  if (!after) throw invalid_argument("the continuation token is not one of this server");
  const std::size_t most = read_limit(call, "max-buckets", kMaxBuckets);
  if (most == 0) throw invalid_argument("max-buckets must be from 1 to 10000");
  XmlWriter xml("ListAllMyBucketsResult");
  xml.open("Owner").text("ID", call.identity.caller.account_id);
  xml.text("DisplayName", call.identity.caller.principal).close();
  xml.open("Buckets");
  std::size_t written = 0;
  std::string last;
  bool is_truncated = false;
  for (const auto& [name, created] : call.objects.list_buckets()) {
    if (!name.starts_with(prefix) || name <= *after) continue;
    if (!region.empty() && region != call.options.region) break;
    if (written == most) {
      is_truncated = true;
      break;
    }
    xml.open("Bucket").text("Name", name);
    xml.text("CreationDate", base::to_iso8601(created)).close();
    last = name;
    ++written;
  }
  xml.close();
  if (!prefix.empty()) xml.text("Prefix", prefix);
  if (is_truncated) xml.text("ContinuationToken", base::to_base64url(last));
  return xml_response(xml);
}

wire::HttpResponse create_bucket(const S3Call& call) {
  if (call.request.body.size() > 0) check_configuration(call);
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

}  // namespace andon::api
