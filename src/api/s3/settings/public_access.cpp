// SPDX-License-Identifier: Apache-2.0
#include "api/s3/settings/public_access.hpp"

#include <array>

#include "api/s3/format/error.hpp"

namespace andon::api {
namespace {

struct Member {
  std::string_view name;
  bool PublicAccessBlock::*flag;
};
constexpr std::array<Member, 4> kMembers{
    {{"BlockPublicAcls", &PublicAccessBlock::block_public_acls},
     {"IgnorePublicAcls", &PublicAccessBlock::ignore_public_acls},
     {"BlockPublicPolicy", &PublicAccessBlock::block_public_policy},
     {"RestrictPublicBuckets", &PublicAccessBlock::restrict_public_buckets}}};

}  // namespace

PublicAccessBlock PublicAccessBlock::read(const XmlElement& root) {
  if (root.name != "PublicAccessBlockConfiguration") {
    throw malformed_xml("expected PublicAccessBlockConfiguration, not " + root.name);
  }
  refuse_other_members(root,
                       {kMembers[0].name, kMembers[1].name, kMembers[2].name, kMembers[3].name});
  PublicAccessBlock block;
  for (const Member& member : kMembers) {
    // As AWS has it, one that is left out is off.
    const std::string text = root.child_text(member.name).value_or("false");
    const bool is_true = text == "true" || text == "TRUE" || text == "True";
    if (!is_true && text != "false" && text != "FALSE" && text != "False") {
      throw malformed_xml(std::string(member.name) + " must be true or false");
    }
    block.*member.flag = is_true;
  }
  return block;
}

std::string PublicAccessBlock::document() const {
  XmlWriter xml("PublicAccessBlockConfiguration");
  for (const Member& member : kMembers) xml.boolean(member.name, this->*member.flag);
  return xml.finish();
}

PublicAccessBlock PublicAccessBlock::of(const std::optional<std::string>& setting) {
  if (!setting) return {};
  if (*setting == kNoBlock) {
    return {.block_public_acls = false,
            .ignore_public_acls = false,
            .block_public_policy = false,
            .restrict_public_buckets = false};
  }
  return read(parse_xml(*setting));
}

}  // namespace andon::api
