// SPDX-License-Identifier: Apache-2.0
#include "api/s3.hpp"

#include <algorithm>
#include <array>

#include "api/s3_call.hpp"
#include "api/s3_error.hpp"
#include "api/s3_operations.hpp"
#include "api/s3_presigned_v2.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/log.hpp"

namespace andon::api {
namespace {

using wire::HttpRequest;
using wire::HttpResponse;

enum class Level { service, bucket, object };

// A request goes to the first row that it fits. `parameter` is a query parameter that it must have,
// `header` a header field.
struct Row {
  Level level;
  std::string_view method;
  std::string_view parameter;
  std::string_view header;
  S3Effect effect;
  HttpResponse (*operation)(const S3Call&);
};

constexpr std::array kRows{
    Row{Level::service, "GET", "", "", S3Effect::reads, list_buckets},
    Row{Level::bucket, "PUT", "", "", S3Effect::writes, create_bucket},
    Row{Level::bucket, "HEAD", "", "", S3Effect::reads, head_bucket},
    Row{Level::bucket, "DELETE", "", "", S3Effect::writes, delete_bucket},
    Row{Level::bucket, "GET", "location", "", S3Effect::reads, get_bucket_location},
    Row{Level::bucket, "GET", "versioning", "", S3Effect::reads, get_bucket_versioning},
    Row{Level::bucket, "GET", "uploads", "", S3Effect::reads, list_multipart_uploads},
    Row{Level::bucket, "GET", "list-type", "", S3Effect::reads, list_objects_v2},
    Row{Level::bucket, "GET", "", "", S3Effect::reads, list_objects_v1},
    Row{Level::bucket, "POST", "delete", "", S3Effect::writes, delete_objects},
    Row{Level::object, "PUT", "uploadId", "x-amz-copy-source", S3Effect::writes, upload_part_copy},
    Row{Level::object, "PUT", "uploadId", "", S3Effect::uploads, upload_part},
    Row{Level::object, "PUT", "", "x-amz-copy-source", S3Effect::writes, copy_object},
    Row{Level::object, "PUT", "", "", S3Effect::uploads, put_object},
    Row{Level::object, "GET", "uploadId", "", S3Effect::uploads, list_parts},
    Row{Level::object, "GET", "", "", S3Effect::reads, get_object},
    Row{Level::object, "HEAD", "", "", S3Effect::reads, head_object},
    Row{Level::object, "DELETE", "uploadId", "", S3Effect::uploads, abort_multipart_upload},
    Row{Level::object, "DELETE", "", "", S3Effect::writes, delete_object},
    Row{Level::object, "POST", "uploads", "", S3Effect::uploads, create_multipart_upload},
    Row{Level::object, "POST", "uploadId", "", S3Effect::uploads, complete_multipart_upload},
};

// Sub-resources of S3 that this store does not have: without this list `PUT ?acl` would create a
// bucket and `PUT key?tagging` overwrite an object.
constexpr std::array<std::string_view, 33> kUnsupported{"accelerate",
                                                        "acl",
                                                        "analytics",
                                                        "attributes",
                                                        "cors",
                                                        "encryption",
                                                        "intelligent-tiering",
                                                        "inventory",
                                                        "legal-hold",
                                                        "lifecycle",
                                                        "logging",
                                                        "metadataConfiguration",
                                                        "metadataTable",
                                                        "metrics",
                                                        "notification",
                                                        "object-lock",
                                                        "ownershipControls",
                                                        "policy",
                                                        "policyStatus",
                                                        "publicAccessBlock",
                                                        "replication",
                                                        "requestPayment",
                                                        "restore",
                                                        "retention",
                                                        "select",
                                                        "session",
                                                        "tagging",
                                                        "torrent",
                                                        "versionId",
                                                        "versions",
                                                        "website",
                                                        "append",
                                                        "renameObject"};

HttpResponse dispatch(const S3Call& call) {
  const Level level = call.address.bucket.empty() ? Level::service
                      : call.address.key.empty()  ? Level::bucket
                                                  : Level::object;
  for (const std::string_view parameter : kUnsupported) {
    if (call.has_query(parameter)) {
      throw S3Error(501, "NotImplemented",
                    "this store has no '" + std::string(parameter) + "' of S3");
    }
  }
  const auto row = std::ranges::find_if(kRows, [&](const Row& candidate) {
    return candidate.level == level && candidate.method == call.request.method &&
           (candidate.parameter.empty() || call.has_query(candidate.parameter)) &&
           (candidate.header.empty() || call.request.headers.find(candidate.header));
  });
  if (row == kRows.end()) {
    throw S3Error(405, "MethodNotAllowed", call.request.method + " is not for this resource");
  }
  authorize(call, row->effect);
  return row->operation(call);
}

// The encoded path with the bucket in front, whichever style the request has.
std::string presigned_v2_resource(const HttpRequest& request, const S3Address& address) {
  const bool is_virtual_host = !request.path.starts_with("/" + address.bucket + "/");
  return (is_virtual_host ? "/" + address.bucket : std::string()) + request.path;
}

S3Error translate_current_exception(const std::string& request_id) {
  const auto defect = [&](const char* what) {
    base::log_error("an S3 request failed", {{"request", request_id}, {"error", what}});
    return S3Error(500, "InternalError",
                   "a defect of the server: its log has more, under request " + request_id);
  };
  try {
    throw;
  } catch (const S3Error& error) {
    return error;
  } catch (const AuthenticationError& error) {
    return translate_for_s3(error);
  } catch (const base::Error& error) {
    if (error.code() == base::ErrorCode::internal) return defect(error.what());
    return translate_for_s3(error);
  } catch (const std::exception& error) {
    return defect(error.what());
  }
}

}  // namespace

S3Service::S3Service(store::ObjectStore& objects, const Authenticator& authenticator,
                     const base::Clock& clock, S3Options options)
    : objects_(objects),
      authenticator_(authenticator),
      clock_(clock),
      options_(std::move(options)) {
  const std::string bucket(kUploadBucket);
  if (!objects_.has_bucket(bucket)) objects_.create_bucket(bucket);
}

HttpResponse S3Service::handle(const HttpRequest& request) {
  const std::string request_id = base::random_uuid();
  HttpResponse response;
  try {
    const S3Address address = read_address(request, options_.host);
    const Identity identity = is_presigned_v2(request) && !address.key.empty()
                                  ? authenticator_.authenticate_presigned_v2(
                                        request, presigned_v2_resource(request, address))
                                  : authenticator_.authenticate(request);
    response = dispatch({.request = request,
                         .identity = identity,
                         .address = address,
                         .objects = objects_,
                         .clock = clock_,
                         .options = options_});
  } catch (...) {
    response = s3_error_response(translate_current_exception(request_id), request.path, request_id);
  }
  response.headers.set("x-amz-request-id", request_id);
  base::log_debug("request", {{"method", request.method},
                              {"path", request.path},
                              {"service", "s3"},
                              {"status", response.status},
                              {"request", request_id}});
  return response;
}

}  // namespace andon::api
