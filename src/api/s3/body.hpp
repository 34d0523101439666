// SPDX-License-Identifier: Apache-2.0
// The body of an S3 request as a stream, with every promise that the client made about it checked
// before it is stored: X-Amz-Content-Sha256, Content-MD5, x-amz-checksum-..., and for a chunked
// body its chunk signatures, decoded length and trailer. One thread; the call must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "api/s3/call.hpp"
#include "api/s3/format/checksum.hpp"
#include "store/objects/object_store.hpp"

namespace andon::api {

class S3Body {
 public:
  // Throws S3Error for headers that contradict each other or cannot be read.
  explicit S3Body(const S3Call& call, const BodyRules& rules = {});
  S3Body(const S3Body&) = delete;
  S3Body& operator=(const S3Body&) = delete;
  ~S3Body();

  // What the store reads from, and what it calls when it has read everything; both refer to this.
  [[nodiscard]] store::ByteSource source();
  [[nodiscard]] std::function<void(const store::ContentDigests&)> check();

  // Checksum headers to keep and give back, once check() has passed: name -> value.
  [[nodiscard]] const std::map<std::string, std::string>& checksums() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The whole of a small body, checked in the same way. Throws S3Error(EntityTooLarge).
[[nodiscard]] std::string read_checked_body(const S3Call& call, std::size_t max_bytes,
                                            const BodyRules& rules = {});

}  // namespace andon::api
