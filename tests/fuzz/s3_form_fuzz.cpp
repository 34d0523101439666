// SPDX-License-Identifier: Apache-2.0
// Forms that browsers post to a bucket: multipart/form-data, then the policy among its fields.
#include <cstddef>
#include <cstdint>
#include <string>

#include "api/s3/format/error.hpp"
#include "api/s3/settings/form_data.hpp"
#include "api/s3/settings/post_policy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::api;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string::npos) return 0;
  const auto boundary = read_boundary(text.substr(0, line));
  if (!boundary) return 0;
  const std::string body = text.substr(line + 1);
  try {
    const FormData form =
        read_form_data(andon::wire::Body(body), *boundary, {.max_field_bytes = 1000});
    if (form.file && form.file->offset + form.file->size > body.size()) __builtin_trap();
    PostPolicy(form.find("policy").value_or("")).check(form, "parts", {});
  } catch (const S3Error&) {
    return 0;
  }
  return 0;
}
