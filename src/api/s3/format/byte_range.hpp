// SPDX-License-Identifier: Apache-2.0
// Conditional and partial reads of one immutable representation (RFC 9110, sections 13 and 14), as
// downloads that resume ask for them. Pure but for the file that is handed on; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/os/file.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

enum class RangeKind { whole, part, unsatisfiable };
struct RangeAnswer {
  RangeKind kind = RangeKind::whole;
  ByteRange range;  // of a part
};
// One range of bytes ("bytes=5-", "bytes=0-99", "bytes=-100"). Anything else means the whole, as
// the RFC lets a server choose.
[[nodiscard]] RangeAnswer read_range(std::string_view header, std::uint64_t size);

// "bytes=<first>-<last>", both within the content; nothing for anything else.
[[nodiscard]] std::optional<ByteRange> read_exact_range(std::string_view header,
                                                        std::uint64_t size);

// 200, 206, 304 or 416 by Range, If-Range and If-None-Match. `etag` is without quotes.
[[nodiscard]] wire::HttpResponse file_response(const wire::HttpRequest& request,
                                               base::UniqueFd file, std::string_view etag);

}  // namespace andon::api
