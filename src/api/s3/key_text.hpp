// SPDX-License-Identifier: Apache-2.0
// Keys in lists as the client wants them (encoding-type): as they are, or percent-encoded, so that
// any byte is valid XML. Pure.
#pragma once

#include <string>

#include "api/s3/call.hpp"
#include "api/s3/format/error.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {

class KeyText {
 public:
  explicit KeyText(const S3Call& call) {
    const std::string type = call.query("encoding-type");
    if (!type.empty() && type != "url") throw invalid_argument("encoding-type must be 'url'");
    is_encoded_ = !type.empty();
  }

  [[nodiscard]] bool is_encoded() const { return is_encoded_; }
  [[nodiscard]] std::string operator()(const std::string& key) const {
    return is_encoded_ ? base::percent_encode(key, base::Slash::keep) : key;
  }

 private:
  bool is_encoded_ = false;
};

}  // namespace andon::api
