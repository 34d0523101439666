// SPDX-License-Identifier: Apache-2.0
// Policy documents as clients send them: read or refused, and what is read can be asked.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error/error.hpp"
#include "control/iotpolicy/iot_policy_rules.hpp"
#include "policy/decision/decision.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::policy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Context context;
  context.set("aws:username", "eva");
  context.set("aws:SourceIp", "10.0.0.1");
  context.set("aws:TagKeys", std::vector<std::string>{"a", "b"});
  for (const auto kind : {DocumentKind::identity, DocumentKind::trust, DocumentKind::resource}) {
    try {
      const auto document = std::make_shared<const Document>(Document::parse(text, kind));
      const Request request{"s3:GetObject", "arn:aws:s3:::parts/eva/a.png", context};
      (void)decide(
          *document,
          {.arn = "arn:aws:iam::000000000000:user/eva", .role_arn = {}, .account = "000000000000"},
          request);
      (void)PolicySet({std::make_shared<NamedPolicy>(NamedPolicy{"p", "user eva", document})})
          .decide(request);
    } catch (const andon::base::Error&) {
      continue;
    }
  }
  try {
    andon::control::check_iot_policy_document(std::string(text));
  } catch (const andon::base::Error&) {
    return 0;
  }
  return 0;
}
