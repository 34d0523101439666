// SPDX-License-Identifier: Apache-2.0
#include "api/s3/access.hpp"

#include <algorithm>
#include <array>

#include "api/s3/format/error.hpp"
#include "api/s3/settings/tagging.hpp"
#include "base/text/split.hpp"
#include "control/components/components.hpp"

namespace andon::api {
namespace {

constexpr std::string_view kThingPrefix = "thing/";
constexpr std::size_t kMostCompiled = 1000;

void authorize_device(const S3Call& call, S3Effect effect, std::string_view thing) {
  const std::string prefix = std::string(thing) + "/";
  if (effect != S3Effect::uploads || call.address.bucket != kUploadBucket ||
      !call.address.key.starts_with(prefix)) {
    throw S3Error(403, "AccessDenied",
                  "a device may only put objects into bucket '" + std::string(kUploadBucket) +
                      "' under '" + prefix + "'");
  }
  // Harmless here, but not to whoever makes a file of each object.
  for (const std::string_view part : base::split(call.address.key, '/')) {
    if (part == "." || part == "..") {
      throw S3Error(403, "AccessDenied", "the key of a device's object has no part '.' or '..'");
    }
  }
}

bool is_anonymous(const S3Call& call) {
  return call.identity.caller.principal == kAnonymousPrincipal;
}

// How it was signed.
void add_signature_keys(const S3Call& call, policy::Context& keys) {
  if (is_anonymous(call)) return;
  const bool is_query = call.has_query("X-Amz-Signature") || call.has_query("Signature");
  keys.set("s3:authtype", call.headers.find("Authorization") ? "REST-HEADER"
                          : is_query                         ? "REST-QUERY-STRING"
                                                             : "POST");
  keys.set("s3:signatureversion", call.has_query("AWSAccessKeyId") ? "AWS" : "AWS4-HMAC-SHA256");
}

policy::Context keys_of(const S3Call& call, const S3Address& object) {
  policy::Context keys;
  // Which part of a bucket a list is of.
  for (const auto* name : {"prefix", "delimiter", "max-keys"}) {
    if (object.key.empty() && call.has_query(name)) {
      keys.set("s3:" + std::string(name), call.query(name));
    }
  }
  keys.add(version_keys(call.query("versionId")));
  for (const auto* name : {"x-amz-acl", "x-amz-copy-source", "x-amz-metadata-directive",
                           "x-amz-storage-class", "x-amz-content-sha256"}) {
    if (const auto value = call.header(name)) keys.set("s3:" + std::string(name), *value);
  }
  if (const auto tagging = call.header("x-amz-tagging")) {
    keys.add(tag_keys(read_tag_query(*tagging)));
  }
  add_signature_keys(call, keys);
  return keys;
}

// The account itself can always mend a policy that shuts everybody out.
bool is_mending(const S3Call& call, std::string_view action) {
  constexpr std::array<std::string_view, 3> kMending{"s3:GetBucketPolicy", "s3:PutBucketPolicy",
                                                     "s3:DeleteBucketPolicy"};
  return call.identity.caller.principal == control::kOperatorPrincipal &&
         call.identity.caller.session_policy.empty() &&
         std::ranges::find(kMending, action) != kMending.end();
}

}  // namespace

BucketPolicies::Guard BucketPolicies::of(const store::ObjectStore& objects,
                                         const std::string& bucket) {
  Guard guard;
  const auto text = objects.bucket_setting(bucket, store::BucketSetting::policy);
  if (!text) return guard;
  guard.block =
      PublicAccessBlock::of(objects.bucket_setting(bucket, store::BucketSetting::public_access));
  const std::string name = bucket + " " + *text;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = compiled_.find(name); found != compiled_.end()) {
      guard.policy = found->second;
      return guard;
    }
  }
  guard.policy = std::make_shared<const BucketPolicy>(*text, bucket);
  const std::lock_guard lock(mutex_);
  if (compiled_.size() >= kMostCompiled) compiled_.clear();
  compiled_.emplace(name, guard.policy);
  return guard;
}

policy::Context version_keys(const std::string& version_id) {
  policy::Context keys;
  if (!version_id.empty()) keys.set("s3:versionid", version_id);
  return keys;
}

policy::Context tag_keys(const std::map<std::string, std::string>& tags) {
  policy::Context keys;
  std::vector<std::string> names;
  for (const auto& [key, value] : tags) {
    keys.set("s3:requestobjecttag/" + key, value);
    names.push_back(key);
  }
  if (!names.empty()) keys.set("s3:requestobjecttagkeys", std::move(names));
  return keys;
}

void authorize(const S3Call& call, S3Effect effect, std::string_view action) {
  const std::string& principal = call.identity.caller.principal;
  if (principal.starts_with(kThingPrefix)) {
    authorize_device(call, effect, std::string_view(principal).substr(kThingPrefix.size()));
    return;
  }
  // A device's session of the role that it takes by its role alias.
  const bool is_of_device = !call.identity.caller.certificate.empty();
  if (call.options.audience == S3Audience::devices_only && !is_of_device) {
    throw S3Error(403, "AccessDenied", "this access key may not be used here");
  }
  if (!action.empty()) authorize_object(call, action, call.address);
  // What is asked for in the body is for those only whom a policy may let in.
  if (action.empty() && is_anonymous(call) &&
      !call.policies.of(call.objects, call.address.bucket).policy) {
    throw S3Error(403, "AccessDenied", "the request is not signed");
  }
  if (effect != S3Effect::reads && call.address.bucket == control::kArtifactBucket) {
    throw S3Error(403, "AccessDenied",
                  "bucket '" + call.address.bucket +
                      "' holds the artifacts of component versions: it cannot be written");
  }
}

void authorize_object(const S3Call& call, std::string_view action, const S3Address& object,
                      const policy::Context& further) {
  const Caller& caller = call.identity.caller;
  const std::string resource = resource_of(object);
  if (call.audit != nullptr) call.audit->add_resource(resource);
  if (caller.principal.starts_with(kThingPrefix)) return;  // its own rules have decided
  policy::Context keys = keys_of(call, object);
  keys.add(further);
  BucketPolicies::Guard guard;
  if (!object.bucket.empty() && !is_mending(call, action)) {
    guard = call.policies.of(call.objects, object.bucket);
  }
  ResourcePolicy of_bucket;
  if (guard.policy) {
    of_bucket.document = &guard.policy->document();
    of_bucket.lets_in_strangers =
        !(guard.block.restrict_public_buckets && guard.policy->is_public());
  }
  if (const auto sentence =
          refusal(call.options.authorizer, caller, action, resource, keys, of_bucket)) {
    throw S3Error(403, "AccessDenied", *sentence);
  }
}

}  // namespace andon::api
