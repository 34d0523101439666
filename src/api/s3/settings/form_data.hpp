// SPDX-License-Identifier: Apache-2.0
// A form with one file in it (multipart/form-data, RFC 7578), as browsers send it to S3: its fields
// and where in the body the file's content lies. The file comes last; what follows it does not
// count, as at S3. Reads the body piece by piece, with limits. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/http/http.hpp"

namespace andon::api {

struct FormFile {
  std::string name;          // as the browser says, without folders; may be empty
  std::string content_type;  // may be empty
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct FormData {
  std::vector<std::pair<std::string, std::string>> fields;  // before the file, in order
  std::optional<FormFile> file;

  // Compared without case; nothing where it is absent.
  [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
};

struct FormLimits {
  std::size_t max_field_bytes = 20U << 10U;  // all that stands before the file, as S3 has it
  std::size_t max_fields = 100;
};

// Of "multipart/form-data; boundary=..."; nothing where it is something else.
[[nodiscard]] std::optional<std::string> read_boundary(std::string_view content_type);
// Throws S3Error(MalformedPOSTRequest, MaxPostPreDataLengthExceededError).
[[nodiscard]] FormData read_form_data(const wire::Body& body, std::string_view boundary,
                                      const FormLimits& limits = {});
// The same of a body of which kFormStart bytes or more have come and the rest has not: the file
// has no size.
[[nodiscard]] FormData read_form_start(const wire::Body& body, std::string_view boundary,
                                       const FormLimits& limits = {});
// All that may stand before the file, with what frames it.
inline constexpr std::size_t kFormStart = FormLimits().max_field_bytes + (64U << 10U);

}  // namespace andon::api
