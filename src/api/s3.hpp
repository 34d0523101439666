// SPDX-License-Identifier: Apache-2.0
// The S3 API over the object store: buckets, objects, ranges, multipart uploads, listings,
// presigned URLs; path-style and virtual-host style. Operators may do everything except write to
// control::kArtifactBucket; a device's temporary credentials ("thing/<name>") may only put objects
// into the bucket "andon-uploads" under the prefix "<name>/". Any thread.
#pragma once

#include <string>
#include <string_view>

#include "api/authenticator.hpp"
#include "base/time.hpp"
#include "store/object_store.hpp"
#include "wire/http.hpp"

namespace andon::api {

inline constexpr std::string_view kUploadBucket = "andon-uploads";

// Whose signatures a listener accepts.
enum class S3Audience { operators_and_devices, devices_only };

struct S3Options {
  S3Audience audience = S3Audience::operators_and_devices;
  std::string region = "us-east-1";
  // The listener's own name (without port): "<bucket>.<host>" is virtual-host style.
  std::string host = "localhost";
};

class S3Service {
 public:
  // `objects`, `authenticator` and `clock` must outlive it. Makes kUploadBucket if it is not there.
  S3Service(store::ObjectStore& objects, const Authenticator& authenticator,
            const base::Clock& clock, S3Options options);

  // Never throws for what the client did wrong: that is an S3 error response.
  [[nodiscard]] wire::HttpResponse handle(const wire::HttpRequest& request);

 private:
  store::ObjectStore& objects_;
  const Authenticator& authenticator_;
  const base::Clock& clock_;
  S3Options options_;
};

}  // namespace andon::api
