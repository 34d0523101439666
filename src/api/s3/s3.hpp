// SPDX-License-Identifier: Apache-2.0
// The S3 API over the object store: buckets, objects, ranges, multipart uploads, listings,
// presigned URLs and forms; versions, policies, tags, lifecycle and CORS of buckets; path-style and
// virtual-host style. What users and roles may do is decided on the action of each operation;
// nobody writes to control::kArtifactBucket; a device's temporary credentials ("thing/<name>") may
// only put objects into the bucket "andon-uploads" under the prefix "<name>/". Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/audit/call_audit.hpp"
#include "api/table/authenticator.hpp"
#include "api/table/authorizer.hpp"
#include "base/time/time.hpp"
#include "control/audit/audit_log.hpp"
#include "store/objects/object_store.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

inline constexpr std::string_view kUploadBucket = "andon-uploads";

// Whose signatures a listener accepts.
enum class S3Audience { operators_and_devices, devices_only };

struct S3Options {
  S3Audience audience = S3Audience::operators_and_devices;
  std::string region = "us-east-1";
  // The listener's own name (without port): "<bucket>.<host>" is virtual-host style.
  std::string host = "localhost";
  // What one device may have in kUploadBucket: objects, and uploads that it has begun.
  std::uint64_t max_device_bytes = 100ULL << 30U;
  std::uint64_t max_device_objects = 1'000'000;
  // The operator says that what lies on the disk is encrypted there: a request that asks for no
  // more than that has it.
  bool disk_is_encrypted = false;
  // Decides who may do what; null: nobody but principal "operator", and devices. Must outlive it.
  const Authorizer* authorizer = nullptr;
  // Records each call, of devices only what is refused; null: nobody does. Must outlive it.
  control::AuditLog* audit = nullptr;
};

class BucketPolicies;
struct S3Address;

class S3Service {
 public:
  // `objects`, `authenticator` and `clock` must outlive it. Makes kUploadBucket if it is not there.
  S3Service(store::ObjectStore& objects, const Authenticator& authenticator,
            const base::Clock& clock, S3Options options);

  S3Service(const S3Service&) = delete;
  S3Service& operator=(const S3Service&) = delete;
  ~S3Service();

  // Never throws for what the client did wrong: that is an S3 error response.
  [[nodiscard]] wire::HttpResponse handle(const wire::HttpRequest& request);
  // A call from within the server, unsigned, as `caller`: held to the same rules, and recorded.
  // Throws ServiceError with S3's code. `via` and `detail` are for the audit log.
  [[nodiscard]] wire::HttpResponse call(const Caller& caller, const wire::HttpRequest& request,
                                        std::string_view via = control::audit_via::kWorkflow,
                                        const std::string& detail = {});
  // Virtual-host style: what comes is for a bucket, whatever its path.
  [[nodiscard]] bool names_bucket_by_host(const wire::HttpRequest& request) const;
  // Whether a request may send its body, from its head, and how much of it.
  [[nodiscard]] wire::HttpAdmission admit(const wire::HttpRequest& head);
  // The same from the first kFormStart bytes of a larger body, of a form, which is signed there:
  // what is sent instead of an answer to all of it, if anything.
  [[nodiscard]] std::optional<wire::HttpResponse> look(const wire::HttpRequest& start);

 private:
  template <typename Work>
  auto with_call(const wire::HttpRequest& request, const S3Address& address, CallAudit& audit,
                 const Work& work);
  template <typename Work>
  auto with_identity(const Identity& identity, const wire::HttpRequest& request,
                     const S3Address& address, CallAudit& audit, const Work& work);
  [[nodiscard]] bool serves_browsers() const;
  [[nodiscard]] std::string_view via() const;
  [[nodiscard]] wire::HttpResponse answer(const wire::HttpRequest& request,
                                          const S3Address& address, CallAudit& audit);
  void finish(const wire::HttpRequest& request, const S3Address& address,
              const std::string& request_id, wire::HttpResponse& response);
  [[nodiscard]] wire::HttpResponse refuse(const wire::HttpRequest& request,
                                          const S3Address& address, const std::string& request_id,
                                          CallAudit& audit);

  store::ObjectStore& objects_;
  const Authenticator& authenticator_;
  const base::Clock& clock_;
  S3Options options_;
  std::unique_ptr<BucketPolicies> policies_;
};

// The actions of its operations ("s3:GetObject"), each once.
[[nodiscard]] std::set<std::string> s3_actions();

}  // namespace andon::api
