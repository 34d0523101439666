// SPDX-License-Identifier: Apache-2.0
#include "api/s3/s3.hpp"

#include <algorithm>
#include <array>

#include "api/s3/access.hpp"
#include "api/s3/call.hpp"
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"
#include "api/s3/parameters.hpp"
#include "api/table/presigned_v2.hpp"
#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/id.hpp"

namespace andon::api {
namespace {

using wire::HttpRequest;
using wire::HttpResponse;

enum class Level { service, bucket, object };

// A request goes to the first row that it fits. `parameter` is a query parameter that it must have,
// `header` a header field. What else it may have is in the table of parameters, by `name`.
// `action` is what the caller must be allowed, `version_action` where one version is named; empty:
// the operation asks for each object.
struct Row {
  std::string_view name;
  std::string_view action;
  std::string_view version_action;
  Level level;
  std::string_view method;
  std::string_view parameter;
  std::string_view header;
  S3Effect effect;
  HttpResponse (*operation)(const S3Call&);
};

using enum Level;
using enum S3Effect;
constexpr std::array kRows{
    Row{"ListBuckets", "s3:ListAllMyBuckets", "", service, "GET", "", "", reads, list_buckets},
    Row{"HeadBucket", "s3:ListBucket", "", bucket, "HEAD", "", "", reads, head_bucket},
    Row{"GetBucketLocation", "s3:GetBucketLocation", "", bucket, "GET", "location", "", reads,
        get_bucket_location},
    Row{"GetBucketVersioning", "s3:GetBucketVersioning", "", bucket, "GET", "versioning", "", reads,
        get_bucket_versioning},
    Row{"PutBucketVersioning", "s3:PutBucketVersioning", "", bucket, "PUT", "versioning", "",
        writes, put_bucket_versioning},
    Row{"GetBucketNotificationConfiguration", "s3:GetBucketNotification", "", bucket, "GET",
        "notification", "", reads, get_bucket_notification},
    Row{"PutBucketNotificationConfiguration", "s3:PutBucketNotification", "", bucket, "PUT",
        "notification", "", writes, put_bucket_notification},
    Row{"GetBucketPolicy", "s3:GetBucketPolicy", "", bucket, "GET", "policy", "", reads,
        get_bucket_policy},
    Row{"PutBucketPolicy", "s3:PutBucketPolicy", "", bucket, "PUT", "policy", "", writes,
        put_bucket_policy},
    Row{"DeleteBucketPolicy", "s3:DeleteBucketPolicy", "", bucket, "DELETE", "policy", "", writes,
        delete_bucket_policy},
    Row{"GetBucketPolicyStatus", "s3:GetBucketPolicyStatus", "", bucket, "GET", "policyStatus", "",
        reads, get_bucket_policy_status},
    Row{"GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock", "", bucket, "GET",
        "publicAccessBlock", "", reads, get_public_access_block},
    Row{"PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock", "", bucket, "PUT",
        "publicAccessBlock", "", writes, put_public_access_block},
    Row{"DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock", "", bucket, "DELETE",
        "publicAccessBlock", "", writes, delete_public_access_block},
    Row{"GetBucketOwnershipControls", "s3:GetBucketOwnershipControls", "", bucket, "GET",
        "ownershipControls", "", reads, get_bucket_ownership_controls},
    Row{"PutBucketOwnershipControls", "s3:PutBucketOwnershipControls", "", bucket, "PUT",
        "ownershipControls", "", writes, put_bucket_ownership_controls},
    Row{"DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls", "", bucket, "DELETE",
        "ownershipControls", "", writes, delete_bucket_ownership_controls},
    Row{"GetBucketAcl", "s3:GetBucketAcl", "", bucket, "GET", "acl", "", reads, get_bucket_acl},
    Row{"PutBucketAcl", "s3:PutBucketAcl", "", bucket, "PUT", "acl", "", writes, put_bucket_acl},
    Row{"GetBucketTagging", "s3:GetBucketTagging", "", bucket, "GET", "tagging", "", reads,
        get_bucket_tagging},
    Row{"PutBucketTagging", "s3:PutBucketTagging", "", bucket, "PUT", "tagging", "", writes,
        put_bucket_tagging},
    Row{"DeleteBucketTagging", "s3:PutBucketTagging", "", bucket, "DELETE", "tagging", "", writes,
        delete_bucket_tagging},
    Row{"GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration", "", bucket, "GET",
        "lifecycle", "", reads, get_bucket_lifecycle},
    Row{"PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration", "", bucket, "PUT",
        "lifecycle", "", writes, put_bucket_lifecycle},
    Row{"DeleteBucketLifecycle", "s3:PutLifecycleConfiguration", "", bucket, "DELETE", "lifecycle",
        "", writes, delete_bucket_lifecycle},
    Row{"GetBucketCors", "s3:GetBucketCORS", "", bucket, "GET", "cors", "", reads, get_bucket_cors},
    Row{"PutBucketCors", "s3:PutBucketCORS", "", bucket, "PUT", "cors", "", writes,
        put_bucket_cors},
    Row{"DeleteBucketCors", "s3:PutBucketCORS", "", bucket, "DELETE", "cors", "", writes,
        delete_bucket_cors},
    Row{"GetBucketEncryption", "s3:GetEncryptionConfiguration", "", bucket, "GET", "encryption", "",
        reads, get_bucket_encryption},
    Row{"GetBucketWebsite", "s3:GetBucketWebsite", "", bucket, "GET", "website", "", reads,
        get_bucket_website},
    Row{"GetBucketReplication", "s3:GetReplicationConfiguration", "", bucket, "GET", "replication",
        "", reads, get_bucket_replication},
    Row{"GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration", "", bucket, "GET",
        "object-lock", "", reads, get_object_lock_configuration},
    Row{"GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration", "", bucket, "GET",
        "accelerate", "", reads, get_bucket_accelerate},
    Row{"GetBucketLogging", "s3:GetBucketLogging", "", bucket, "GET", "logging", "", reads,
        get_bucket_logging},
    Row{"GetBucketRequestPayment", "s3:GetBucketRequestPayment", "", bucket, "GET",
        "requestPayment", "", reads, get_bucket_request_payment},
    Row{"CreateBucket", "s3:CreateBucket", "", bucket, "PUT", "", "", writes, create_bucket},
    Row{"DeleteBucket", "s3:DeleteBucket", "", bucket, "DELETE", "", "", writes, delete_bucket},
    Row{"ListMultipartUploads", "s3:ListBucketMultipartUploads", "", bucket, "GET", "uploads", "",
        reads, list_multipart_uploads},
    Row{"ListObjectVersions", "s3:ListBucketVersions", "", bucket, "GET", "versions", "", reads,
        list_object_versions},
    Row{"ListObjectsV2", "s3:ListBucket", "", bucket, "GET", "list-type", "", reads,
        list_objects_v2},
    Row{"ListObjects", "s3:ListBucket", "", bucket, "GET", "", "", reads, list_objects_v1},
    Row{"DeleteObjects", "", "", bucket, "POST", "delete", "", writes, delete_objects},
    Row{"GetObjectTagging", "s3:GetObjectTagging", "s3:GetObjectVersionTagging", object, "GET",
        "tagging", "", reads, get_object_tagging},
    Row{"PutObjectTagging", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", object, "PUT",
        "tagging", "", writes, put_object_tagging},
    Row{"DeleteObjectTagging", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging", object,
        "DELETE", "tagging", "", writes, delete_object_tagging},
    Row{"GetObjectAcl", "s3:GetObjectAcl", "s3:GetObjectVersionAcl", object, "GET", "acl", "",
        reads, get_object_acl},
    Row{"PutObjectAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl", object, "PUT", "acl", "",
        writes, put_object_acl},
    Row{"GetObjectAttributes", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes", object,
        "GET", "attributes", "", reads, get_object_attributes},
    Row{"UploadPartCopy", "s3:PutObject", "", object, "PUT", "uploadId", "x-amz-copy-source",
        writes, upload_part_copy},
    Row{"UploadPart", "s3:PutObject", "", object, "PUT", "uploadId", "", uploads, upload_part},
    Row{"CopyObject", "s3:PutObject", "", object, "PUT", "", "x-amz-copy-source", writes,
        copy_object},
    Row{"PutObject", "s3:PutObject", "", object, "PUT", "", "", uploads, put_object},
    Row{"ListParts", "s3:ListMultipartUploadParts", "", object, "GET", "uploadId", "", uploads,
        list_parts},
    Row{"GetObject", "s3:GetObject", "s3:GetObjectVersion", object, "GET", "", "", reads,
        get_object},
    Row{"HeadObject", "s3:GetObject", "s3:GetObjectVersion", object, "HEAD", "", "", reads,
        head_object},
    Row{"AbortMultipartUpload", "s3:AbortMultipartUpload", "", object, "DELETE", "uploadId", "",
        uploads, abort_multipart_upload},
    Row{"DeleteObject", "s3:DeleteObject", "s3:DeleteObjectVersion", object, "DELETE", "", "",
        writes, delete_object},
    Row{"CreateMultipartUpload", "s3:PutObject", "", object, "POST", "uploads", "", uploads,
        create_multipart_upload},
    Row{"CompleteMultipartUpload", "s3:PutObject", "", object, "POST", "uploadId", "", uploads,
        complete_multipart_upload},
};

// An object or a part of one; with the marks of its chunks a little more than S3's 5 GiB.
constexpr std::uint64_t kMaxObjectBody = (5ULL << 30U) + (64ULL << 20U);
// XML: the longest is the list of a multipart upload's 10,000 parts.
constexpr std::uint64_t kMaxDocument = 8ULL << 20U;

// Throws S3Error where nothing here answers the call.
const Row& row_of(const S3Call& call) {
  const Level level = call.address.bucket.empty() ? Level::service
                      : call.address.key.empty()  ? Level::bucket
                                                  : Level::object;
  const auto row = std::ranges::find_if(kRows, [&](const Row& candidate) {
    return candidate.level == level && candidate.method == call.request.method &&
           (candidate.parameter.empty() || call.has_query(candidate.parameter)) &&
           (candidate.header.empty() || call.headers.find(candidate.header));
  });
  if (row == kRows.end()) {
    if (call.identity.caller.principal == kAnonymousPrincipal) {
      throw S3Error(403, "AccessDenied", "the request is not signed");
    }
    if (const auto parameter = first_parameter(call.request); !parameter.empty()) {
      throw not_implemented("this store has no '" + std::string(parameter) + "' of S3 for " +
                            call.request.method);
    }
    throw S3Error(405, "MethodNotAllowed", call.request.method + " is not for this resource");
  }
  return *row;
}

control::AuditAccess access_of(const Row& row) {
  const bool is_reading = row.method == "GET" || row.method == "HEAD";
  return is_reading ? control::AuditAccess::read : control::AuditAccess::write;
}

// Throws S3Error unless the caller may ask for this, and everything that it says is honoured.
void check_call(const S3Call& call, const Row& row) {
  call.audit->set_operation("s3", row.name, access_of(row));
  call.audit->add_resource(resource_of(call.address));
  const bool names_version = !row.version_action.empty() && !call.query("versionId").empty();
  std::string_view action = names_version ? row.version_action : row.action;
  // It asks itself: conditions may be about the tags in the body.
  if (row.operation == put_object_tagging) action = {};
  authorize(call, row.effect, action);
  check_parameters(call, row.name);
}

// Of devices only what is refused is recorded.
template <typename Work>
HttpResponse recorded(const S3Call& call, const Work& work) {
  const std::string_view principal = call.identity.caller.principal;
  const bool is_device = principal.starts_with("thing/");
  if (!is_device) call.audit->begin();
  HttpResponse response = work();
  if (!is_device) call.audit->succeeded();
  return response;
}

HttpResponse dispatch(const S3Call& call) {
  const Row& row = row_of(call);
  check_call(call, row);
  return recorded(call, [&] { return row.operation(call); });
}

// The encoded path with the bucket in front, whichever style the request has.
std::string presigned_v2_resource(const HttpRequest& request, const S3Address& address) {
  const bool is_virtual_host = !request.path.starts_with("/" + address.bucket + "/");
  return (is_virtual_host ? "/" + address.bucket : std::string()) + request.path;
}

Identity identify(const HttpRequest& request, const S3Address& address,
                  const Authenticator& authenticator, const S3Options& options) {
  if (!is_signed(request) && options.audience == S3Audience::operators_and_devices) {
    return authenticator.anonymous(request);
  }
  if (is_presigned_v2(request) && !address.key.empty()) {
    return authenticator.authenticate_presigned_v2(request,
                                                   presigned_v2_resource(request, address));
  }
  return authenticator.authenticate(request);
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

std::set<std::string> s3_actions() {
  std::set<std::string> actions;
  for (const Row& row : kRows) {
    if (!row.action.empty()) actions.emplace(row.action);
    if (!row.version_action.empty()) actions.emplace(row.version_action);
  }
  return actions;
}

S3Service::S3Service(store::ObjectStore& objects, const Authenticator& authenticator,
                     const base::Clock& clock, S3Options options)
    : objects_(objects),
      authenticator_(authenticator),
      clock_(clock),
      options_(std::move(options)),
      policies_(std::make_unique<BucketPolicies>()) {
  const std::string bucket(kUploadBucket);
  if (!objects_.has_bucket(bucket)) objects_.create_bucket(bucket);
}

S3Service::~S3Service() = default;

template <typename Work>
auto S3Service::with_call(const HttpRequest& request, const S3Address& address, CallAudit& audit,
                          const Work& work) {
  return with_identity(identify(request, address, authenticator_, options_), request, address,
                       audit, work);
}

template <typename Work>
auto S3Service::with_identity(const Identity& identity, const HttpRequest& request,
                              const S3Address& address, CallAudit& audit, const Work& work) {
  audit.set_caller(identity.caller, options_.authorizer);
  const wire::Headers headers = read_headers(request);
  return work(S3Call{.request = request,
                     .headers = headers,
                     .identity = identity,
                     .address = address,
                     .objects = objects_,
                     .clock = clock_,
                     .options = options_,
                     .policies = *policies_,
                     .audit = &audit});
}

bool S3Service::names_bucket_by_host(const HttpRequest& request) const {
  HttpRequest root;
  root.path = "/";
  root.headers.set("Host", std::string(request.headers.find("Host").value_or("")));
  return !read_address(root, options_.host).bucket.empty();
}

bool S3Service::serves_browsers() const {
  return options_.audience == S3Audience::operators_and_devices;
}

HttpResponse S3Service::answer(const HttpRequest& request, const S3Address& address,
                               CallAudit& audit) {
  if (serves_browsers() && request.method == "OPTIONS" && !address.bucket.empty()) {
    return answer_preflight(objects_, request, address.bucket);
  }
  return with_call(request, address, audit, [&](const S3Call& call) {
    const bool is_form = serves_browsers() && is_post_object(request, address);
    if (!is_form) return dispatch(call);
    audit.set_operation("s3", "PostObject", control::AuditAccess::write);
    return recorded(call, [&] { return post_object(call, authenticator_); });
  });
}

wire::HttpAdmission S3Service::admit(const HttpRequest& head) {
  const std::string request_id = base::random_uuid();
  CallAudit audit(options_.audit, via(), request_id, head);
  audit.set_operation("s3", {}, control::AuditAccess::read);
  S3Address address;
  try {
    address = read_address(head, options_.host);
    if (serves_browsers() && !address.bucket.empty()) {
      if (head.method == "OPTIONS") return {std::nullopt, 0};
      if (is_post_object(head, address)) {
        if (!objects_.has_bucket(address.bucket)) throw no_such_bucket(address.bucket);
        return {std::nullopt, kMaxForm};
      }
    }
    return with_call(head, address, audit, [&](const S3Call& call) -> wire::HttpAdmission {
      const Row& row = row_of(call);
      check_call(call, row);
      const bool brings_an_object = row.operation == put_object || row.operation == upload_part;
      return {std::nullopt, brings_an_object ? kMaxObjectBody : kMaxDocument};
    });
  } catch (...) {
    return {refuse(head, address, request_id, audit), 0};
  }
}

std::optional<HttpResponse> S3Service::look(const HttpRequest& start) {
  const std::string request_id = base::random_uuid();
  CallAudit audit(options_.audit, via(), request_id, start);
  audit.set_operation("s3", "PostObject", control::AuditAccess::write);
  S3Address address;
  try {
    address = read_address(start, options_.host);
    if (serves_browsers() && is_post_object(start, address)) check_signer(start, authenticator_);
    return std::nullopt;
  } catch (...) {
    return refuse(start, address, request_id, audit);
  }
}

HttpResponse S3Service::handle(const HttpRequest& request) {
  const std::string request_id = base::random_uuid();
  CallAudit audit(options_.audit, via(), request_id, request);
  audit.set_operation("s3", {}, control::AuditAccess::read);
  HttpResponse response;
  S3Address address;
  try {
    address = read_address(request, options_.host);
    response = answer(request, address, audit);
    audit.record();
    finish(request, address, request_id, response);
  } catch (...) {
    response = refuse(request, address, request_id, audit);
  }
  base::log_debug("request", {{"method", request.method},
                              {"path", request.path},
                              {"service", "s3"},
                              {"status", response.status},
                              {"request", request_id}});
  return response;
}

HttpResponse S3Service::call(const Caller& caller, const HttpRequest& request, std::string_view via,
                             const std::string& detail) {
  const std::string request_id = base::random_uuid();
  CallAudit audit(options_.audit, via, request_id, request);
  audit.set_detail(detail);
  audit.set_operation("s3", {}, control::AuditAccess::read);
  Identity identity{.caller = caller, .claim = {}, .secret_access_key = {}};
  identity.claim.payload_sha256 = wire::kUnsignedPayload;
  try {
    const S3Address address = read_address(request, options_.host);
    HttpResponse response = with_identity(identity, request, address, audit,
                                          [](const S3Call& call) { return dispatch(call); });
    audit.record();
    return response;
  } catch (...) {
    const S3Error error = translate_current_exception(request_id);
    if (!audit.was_recorded()) {
      audit.failed(error.status(), error.code());
      audit.record();
    }
    throw ServiceError(error.status(), error.code(), error.what());
  }
}

void S3Service::finish(const HttpRequest& request, const S3Address& address,
                       const std::string& request_id, HttpResponse& response) {
  response.headers.set("x-amz-request-id", request_id);
  if (serves_browsers() && request.method != "OPTIONS") {
    add_cors_headers(objects_, request, address.bucket, response);
  }
}

std::string_view S3Service::via() const {
  return options_.audience == S3Audience::devices_only ? control::audit_via::kDevice
                                                       : control::audit_via::kApi;
}

// Of the exception in flight. A change that was made and then could not be recorded is not recorded
// a second time.
HttpResponse S3Service::refuse(const HttpRequest& request, const S3Address& address,
                               const std::string& request_id, CallAudit& audit) {
  S3Error error = translate_current_exception(request_id);
  if (!audit.was_recorded()) {
    audit.failed(error.status(), error.code());
    try {
      audit.record();
    } catch (const base::Error& unrecorded) {
      error = translate_for_s3(unrecorded);
    }
  }
  HttpResponse response = s3_error_response(error, request.path, request_id);
  try {
    finish(request, address, request_id, response);
  } catch (const std::exception& problem) {
    // The refusal itself is what counts.
    base::log_error("a refusal goes without its CORS headers",
                    {{"request", request_id}, {"error", problem.what()}});
  }
  return response;
}

}  // namespace andon::api
