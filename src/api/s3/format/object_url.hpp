// SPDX-License-Identifier: Apache-2.0
// The URL of an object, as templates and job documents are named by it. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace andon::api {

struct ObjectPlace {
  std::string bucket;
  std::string key;
};

// "https://s3.amazonaws.com/bucket/key", "https://bucket.s3.amazonaws.com/key", "s3://bucket/key",
// "http://127.0.0.1:8080/bucket/key": the host of S3 is this server, whatever it is called. Throws
// invalid_argument naming `member`.
[[nodiscard]] ObjectPlace parse_object_url(const std::string& url, std::string_view member);

}  // namespace andon::api
