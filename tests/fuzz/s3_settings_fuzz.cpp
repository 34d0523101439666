// SPDX-License-Identifier: Apache-2.0
// What clients set on buckets and objects: XML documents, the policy of a bucket, tags in a header.
// What was read is written and read again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "api/s3/format/error.hpp"
#include "api/s3/settings/bucket_policy.hpp"
#include "api/s3/settings/cors.hpp"
#include "api/s3/settings/lifecycle_document.hpp"
#include "api/s3/settings/public_access.hpp"
#include "api/s3/settings/tagging.hpp"
#include "base/error/error.hpp"

namespace {

void read_document(const andon::api::XmlElement& root) {
  using namespace andon::api;
  if (root.name == "CORSConfiguration") (void)read_cors(parse_xml(cors_document(read_cors(root))));
  if (root.name == "LifecycleConfiguration") {
    const auto rules = read_lifecycle(root);
    (void)read_lifecycle(parse_xml(lifecycle_document(rules)));
    if (andon::store::lifecycle_from_text(andon::store::lifecycle_to_text(rules)).size() !=
        rules.size()) {
      __builtin_trap();
    }
  }
  if (root.name == "Tagging") (void)read_tagging(root, kMostObjectTags);
  if (root.name == "PublicAccessBlockConfiguration") (void)PublicAccessBlock::read(root);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::api;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    if (text.starts_with('<')) {
      read_document(parse_xml(text));
    } else if (text.starts_with('{')) {
      (void)BucketPolicy(text, "parts");
    } else {
      (void)read_tag_query(text);
    }
  } catch (const S3Error&) {
    return 0;
  } catch (const andon::base::Error&) {
    return 0;
  }
  return 0;
}
