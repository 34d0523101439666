// SPDX-License-Identifier: Apache-2.0
// Bodies of S3 requests: DeleteObjects, CompleteMultipartUpload, CreateBucket.
#include <cstddef>
#include <cstdint>

#include "api/s3/format/xml.hpp"
#include "base/error/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const andon::api::XmlElement root = andon::api::parse_xml(text);
    (void)root.child_text("Key");
  } catch (const andon::base::Error&) {
    return 0;
  }
  return 0;
}
