// SPDX-License-Identifier: Apache-2.0
#include "api/s3/parameters.hpp"

#include <algorithm>
#include <array>

#include "api/s3/format/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

// Names in lower case, parted by blanks; one that ends in '*' stands for all that begin so.
struct Honoured {
  std::string_view operation;
  std::string_view query;
  std::array<std::string_view, 4> headers;
};

// Every operation: whose bucket it is, and who pays for the request.
constexpr std::string_view kOwner = "x-amz-expected-bucket-owner x-amz-request-payer";
// What the client says of the body.
constexpr std::string_view kBody =
    "content-md5 x-amz-sdk-checksum-algorithm x-amz-trailer x-amz-decoded-content-length "
    "x-amz-checksum-crc32 x-amz-checksum-crc32c x-amz-checksum-crc64nvme x-amz-checksum-sha256";
// What is kept with an object, and what would be but for its one value.
constexpr std::string_view kStored = "x-amz-meta-* x-amz-acl x-amz-storage-class x-amz-tagging";
constexpr std::string_view kRead =
    "if-match if-none-match if-modified-since if-unmodified-since if-range range "
    "x-amz-checksum-mode";
constexpr std::string_view kSource =
    "x-amz-copy-source x-amz-copy-source-if-match x-amz-copy-source-if-none-match "
    "x-amz-copy-source-if-modified-since x-amz-copy-source-if-unmodified-since "
    "x-amz-source-expected-bucket-owner";
constexpr std::string_view kWrite = "if-match if-none-match";
constexpr std::string_view kReadQuery = "versionid response-*";

constexpr std::array kHonoured{
    Honoured{"ListBuckets", "prefix max-buckets continuation-token bucket-region", {}},
    Honoured{"CreateBucket",
             "",
             {kBody, "x-amz-acl x-amz-bucket-object-lock-enabled x-amz-object-ownership"}},
    Honoured{"HeadBucket", "", {kOwner}},
    Honoured{"DeleteBucket", "", {kOwner}},
    Honoured{"GetBucketLocation", "location", {kOwner}},
    Honoured{"GetBucketNotificationConfiguration", "notification", {kOwner}},
    Honoured{"PutBucketNotificationConfiguration", "notification", {kOwner, kBody}},
    Honoured{"GetBucketVersioning", "versioning", {kOwner}},
    Honoured{"PutBucketVersioning", "versioning", {kOwner, kBody}},
    Honoured{"GetBucketPolicy", "policy", {kOwner}},
    Honoured{"PutBucketPolicy", "policy", {kOwner, kBody}},
    Honoured{"DeleteBucketPolicy", "policy", {kOwner}},
    Honoured{"GetBucketPolicyStatus", "policystatus", {kOwner}},
    Honoured{"GetPublicAccessBlock", "publicaccessblock", {kOwner}},
    Honoured{"PutPublicAccessBlock", "publicaccessblock", {kOwner, kBody}},
    Honoured{"DeletePublicAccessBlock", "publicaccessblock", {kOwner}},
    Honoured{"GetBucketOwnershipControls", "ownershipcontrols", {kOwner}},
    Honoured{"PutBucketOwnershipControls", "ownershipcontrols", {kOwner, kBody}},
    Honoured{"DeleteBucketOwnershipControls", "ownershipcontrols", {kOwner}},
    Honoured{"GetBucketAcl", "acl", {kOwner}},
    Honoured{"PutBucketAcl", "acl", {kOwner, kBody, "x-amz-acl"}},
    Honoured{"GetBucketTagging", "tagging", {kOwner}},
    Honoured{"PutBucketTagging", "tagging", {kOwner, kBody}},
    Honoured{"DeleteBucketTagging", "tagging", {kOwner}},
    Honoured{"GetBucketLifecycleConfiguration", "lifecycle", {kOwner}},
    Honoured{"PutBucketLifecycleConfiguration", "lifecycle", {kOwner, kBody}},
    Honoured{"DeleteBucketLifecycle", "lifecycle", {kOwner}},
    Honoured{"GetBucketCors", "cors", {kOwner}},
    Honoured{"PutBucketCors", "cors", {kOwner, kBody}},
    Honoured{"DeleteBucketCors", "cors", {kOwner}},
    Honoured{"GetBucketEncryption", "encryption", {kOwner}},
    Honoured{"GetBucketWebsite", "website", {kOwner}},
    Honoured{"GetBucketReplication", "replication", {kOwner}},
    Honoured{"GetObjectLockConfiguration", "object-lock", {kOwner}},
    Honoured{"GetBucketAccelerateConfiguration", "accelerate", {kOwner}},
    Honoured{"GetBucketLogging", "logging", {kOwner}},
    Honoured{"GetBucketRequestPayment", "requestpayment", {kOwner}},
    Honoured{"ListObjectVersions",
             "versions prefix delimiter encoding-type max-keys key-marker version-id-marker",
             {kOwner}},
    Honoured{"GetObjectTagging", "tagging versionid", {kOwner}},
    Honoured{"PutObjectTagging", "tagging versionid", {kOwner, kBody}},
    Honoured{"DeleteObjectTagging", "tagging versionid", {kOwner}},
    Honoured{"GetObjectAcl", "acl versionid", {kOwner}},
    Honoured{"PutObjectAcl", "acl versionid", {kOwner, kBody, "x-amz-acl"}},
    Honoured{"GetObjectAttributes", "attributes versionid", {kOwner, "x-amz-object-attributes"}},
    Honoured{"ListMultipartUploads",
             "uploads prefix delimiter encoding-type key-marker upload-id-marker max-uploads",
             {kOwner}},
    Honoured{"ListObjectsV2",
             "list-type prefix delimiter encoding-type max-keys start-after continuation-token "
             "fetch-owner",
             {kOwner}},
    Honoured{"ListObjects", "prefix delimiter encoding-type max-keys marker", {kOwner}},
    Honoured{"DeleteObjects", "delete", {kOwner, kBody}},
    Honoured{"PutObject", "", {kOwner, kBody, kStored, kWrite}},
    Honoured{"CopyObject",
             "",
             {kOwner, kSource, kStored,
              "if-match if-none-match x-amz-metadata-directive x-amz-tagging-directive "
              "x-amz-checksum-algorithm"}},
    Honoured{"GetObject", kReadQuery, {kOwner, kRead}},
    Honoured{"HeadObject", kReadQuery, {kOwner, kRead}},
    Honoured{"DeleteObject",
             "versionid",
             {kOwner, "if-match x-amz-if-match-last-modified-time x-amz-if-match-size"}},
    Honoured{"CreateMultipartUpload",
             "uploads",
             {kOwner, kStored, "x-amz-checksum-algorithm x-amz-checksum-type"}},
    Honoured{"UploadPart", "uploadid partnumber", {kOwner, kBody}},
    Honoured{"UploadPartCopy", "uploadid partnumber", {kOwner, kSource, "x-amz-copy-source-range"}},
    Honoured{"CompleteMultipartUpload",
             "uploadid",
             {kOwner, kBody, kWrite, "x-amz-checksum-type x-amz-mp-object-size"}},
    Honoured{"AbortMultipartUpload", "uploadid", {kOwner, "x-amz-if-match-initiated-time"}},
    Honoured{"ListParts", "uploadid max-parts part-number-marker", {kOwner}},
};

// Of these only the values that say what this store does anyway.
struct Values {
  std::string_view header;
  std::string_view values;
  std::string_view why;
};
constexpr std::array kValues{
    Values{"x-amz-acl", "private bucket-owner-full-control", "objects have no access lists"},
    Values{"x-amz-storage-class", "standard", "there is one class of storage"},
    Values{"x-amz-object-ownership", "bucketownerenforced", "there is one owner"},
    Values{"x-amz-bucket-object-lock-enabled", "false", "objects cannot be locked"},
    Values{"x-amz-request-payer", "requester", "nobody pays"},
    Values{"x-amz-checksum-mode", "enabled", "it is ENABLED or not there"},
};

// Of every request: the signature in the header or the URL, and what SDKs say about themselves.
constexpr std::string_view kAlways =
    "x-amz-date x-amz-content-sha256 x-amz-security-token x-amz-user-agent x-amz-algorithm "
    "x-amz-credential x-amz-expires x-amz-signedheaders x-amz-signature x-id awsaccesskeyid "
    "signature expires";

bool holds(std::string_view list, std::string_view name) {
  const auto words = base::split_words(list);
  return std::ranges::any_of(words, [&](std::string_view word) {
    return word.ends_with('*') ? name.starts_with(word.substr(0, word.size() - 1)) : name == word;
  });
}

// Only those that promise something; what a proxy or a library adds for itself is not S3's.
bool is_of_s3(std::string_view header) {
  return header.starts_with("x-amz-") || header.starts_with("if-") || header == "range" ||
         header == "content-md5";
}

// Encryption at rest with keys that are not the client's, where the disk does that.
bool is_met_by_the_disk(const S3Call& call, std::string_view operation, std::string_view header,
                        const std::string& value) {
  return call.options.disk_is_encrypted && header == "x-amz-server-side-encryption" &&
         holds("PutObject CopyObject CreateMultipartUpload", operation) &&
         holds("aes256 aws:kms", base::to_lower(value));
}

S3Error refused(std::string_view operation, std::string_view name) {
  return not_implemented(std::string(operation) + ": this store does not support " +
                         std::string(name) + "; leave it out");
}

void check_value(std::string_view name, const std::string& value) {
  const auto* row = std::ranges::find(kValues, name, &Values::header);
  if (row == kValues.end() || holds(row->values, base::to_lower(value))) return;
  if (name == "x-amz-acl") throw no_access_lists();
  throw not_implemented("this store does not support " + std::string(name) + ": " +
                        value.substr(0, 64) + " (" + std::string(row->why) + ")");
}

void check_owner(const S3Call& call) {
  for (const char* name : {"x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"}) {
    const auto owner = call.header(name);
    if (!owner || *owner == call.identity.caller.account_id) continue;
    throw S3Error(403, "AccessDenied",
                  "the bucket belongs to account " + call.identity.caller.account_id + ", and " +
                      name + " wants another");
  }
}

}  // namespace

std::string_view first_parameter(const wire::HttpRequest& request) {
  for (const auto& [name, value] : request.query) {
    if (!holds(kAlways, base::to_lower(name))) return name;
  }
  return {};
}

void check_parameters(const S3Call& call, std::string_view operation) {
  const auto* row = std::ranges::find(kHonoured, operation, &Honoured::operation);
  if (row == kHonoured.end()) {
    throw base::Error(base::ErrorCode::internal,
                      std::string(operation) + " has no row in the table of parameters");
  }
  for (const auto& [name, value] : call.request.query) {
    const std::string lowered = base::to_lower(name);
    // What the header table knows may be in a presigned URL's query as well (see S3Call::headers).
    if (holds(kAlways, lowered) || lowered.starts_with("x-amz-")) continue;
    // S3's own sub-resources and parameters are written as they are: ?uploadId, not ?uploadid.
    if (!holds(row->query, lowered)) throw refused(operation, name);
  }
  for (const auto& [name, value] : call.headers.fields()) {
    const std::string lowered = base::to_lower(name);
    if (!is_of_s3(lowered) || holds(kAlways, lowered)) continue;
    if (is_met_by_the_disk(call, operation, lowered, value)) continue;
    if (std::ranges::none_of(row->headers,
                             [&](std::string_view list) { return holds(list, lowered); })) {
      throw refused(operation, lowered);
    }
    check_value(lowered, value);
  }
  check_owner(call);
}

}  // namespace andon::api
