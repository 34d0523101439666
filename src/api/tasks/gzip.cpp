// SPDX-License-Identifier: Apache-2.0
#include "api/tasks/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib.h: 16 more says gzip

struct Inflater {
  z_stream stream{};
  Inflater() {
    if (inflateInit2(&stream, kGzipWindow) != Z_OK) {
      throw base::Error(base::ErrorCode::resource_exhausted, "no memory to decompress with");
    }
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }
};

}  // namespace

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

std::string gunzip(std::string_view bytes, std::size_t most) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::string text;
  std::array<char, std::size_t{64} << 10U> part{};
  while (true) {
    if (stream.avail_in == 0) {
      const std::size_t size =
          std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max());
      // zlib only reads what its next_in, which is not const, points to.
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
      stream.avail_in = static_cast<uInt>(size);
      bytes.remove_prefix(size);
    }
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = static_cast<uInt>(part.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END) {
      throw base::Error(base::ErrorCode::invalid_argument, "the gzip data is damaged or cut off");
    }
    text.append(part.data(), part.size() - stream.avail_out);
    if (text.size() > most) {
      throw base::Error(base::ErrorCode::resource_exhausted, "the gzip data holds more than " +
                                                                 std::to_string(most) +
                                                                 " bytes, the most that is read");
    }
    if (result != Z_STREAM_END) continue;
    if (stream.avail_in == 0 && bytes.empty()) return text;
    inflateReset(&stream);  // another member follows
  }
}

}  // namespace andon::api
