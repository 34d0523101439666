// SPDX-License-Identifier: Apache-2.0
// Who may do what with buckets and objects: devices by their own rules; everybody else by the
// policies of the caller and of the bucket together, where either allows and each may deny. Who has
// not signed is let in by a bucket's policy alone, and only where nothing blocks public access.
// Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/s3/call.hpp"
#include "api/s3/settings/bucket_policy.hpp"
#include "api/s3/settings/public_access.hpp"
#include "policy/language/context.hpp"

namespace andon::api {

// The policies of buckets, compiled once for each text.
class BucketPolicies {
 public:
  struct Guard {
    std::shared_ptr<const BucketPolicy> policy;  // null: there is none
    PublicAccessBlock block;
  };
  [[nodiscard]] Guard of(const store::ObjectStore& objects, const std::string& bucket);

 private:
  std::mutex mutex_;
  // By bucket and text.
  std::unordered_map<std::string, std::shared_ptr<const BucketPolicy>> compiled_;
};

// s3:VersionId, where one version is named.
[[nodiscard]] policy::Context version_keys(const std::string& version_id);
// s3:RequestObjectTag/<key> and s3:RequestObjectTagKeys.
[[nodiscard]] policy::Context tag_keys(const std::map<std::string, std::string>& tags);

// What an operation does, for the rules on who may.
enum class S3Effect { reads, writes, uploads };
// Throws S3Error(AccessDenied). `uploads` is what a device may do, under its own prefix; who else
// asks must be allowed `action` ("s3:GetObject") on the bucket or object of the address, or, where
// it is empty, on what the operation finds in the body.
void authorize(const S3Call& call, S3Effect effect, std::string_view action);
// The same for one object, which need not be the one of the address; `keys` are further ones for
// conditions.
void authorize_object(const S3Call& call, std::string_view action, const S3Address& object,
                      const policy::Context& keys = {});

}  // namespace andon::api
