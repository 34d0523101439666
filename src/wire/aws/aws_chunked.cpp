// SPDX-License-Identifier: Apache-2.0
#include "wire/aws/aws_chunked.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "wire/aws/sigv4_canonical.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxChunkHeader = 1024;
constexpr std::size_t kMaxTrailer = 16U << 10U;
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, "the body is not aws-chunked as it claims: " + problem);
}

std::string_view text_of(const trust::Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

std::optional<AwsChunkedForm> aws_chunked_form(std::string_view payload_sha256) {
  if (!payload_sha256.starts_with("STREAMING-")) return std::nullopt;
  if (payload_sha256 == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    return AwsChunkedForm::unsigned_trailer;
  }
  if (payload_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") return AwsChunkedForm::signed_chunks;
  if (payload_sha256 == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    return AwsChunkedForm::signed_trailer;
  }
  throw Error(ErrorCode::unsupported,
              "bodies of the form " + std::string(payload_sha256.substr(0, 100)) +
                  " are not understood; use STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
}

ChunkSigning chunk_signing(const SignatureClaim& claim, std::string_view secret_access_key) {
  return {derive_signing_key(secret_access_key, claim.date, claim.scope),
          base::to_amz_date(claim.signed_at), scope_text(claim.date, claim.scope), claim.signature};
}

AwsChunkedDecoder::AwsChunkedDecoder(AwsChunkedForm form, std::uint64_t decoded_size,
                                     ChunkSigning signing)
    : form_(form), decoded_size_(decoded_size), signing_(std::move(signing)) {}

void AwsChunkedDecoder::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    switch (state_) {
      case State::chunk_header:
        if (take_line(bytes)) read_chunk_header();
        break;
      case State::data: {
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size()));
        const std::string_view part = bytes.substr(0, count);
        if (is_signed()) chunk_digest_.update(part);
        sink(part);
        bytes.remove_prefix(count);
        chunk_left_ -= count;
        if (chunk_left_ == 0) state_ = State::data_end;
        break;
      }
      case State::data_end:
        if (take_line(bytes)) {
          if (!line_.empty()) refuse("a chunk is longer than its size says");
          end_chunk();
          state_ = State::chunk_header;
        }
        break;
      case State::trailer:
        if (take_line(bytes)) read_trailer_line();
        break;
      case State::done:
        refuse("bytes follow its end");
    }
  }
}

// True once line_ is complete, without its line end.
bool AwsChunkedDecoder::take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::size_t count = end == std::string_view::npos ? bytes.size() : end + 1;
  if (line_.size() + count > (state_ == State::trailer ? kMaxTrailer : kMaxChunkHeader)) {
    refuse(state_ == State::trailer ? "a trailing header is too long"
                                    : "a chunk's header is too long");
  }
  line_.append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  if (end == std::string_view::npos) return false;
  line_.pop_back();
  if (line_.ends_with('\r')) line_.pop_back();
  return true;
}

void AwsChunkedDecoder::read_chunk_header() {
  std::string line;
  line.swap(line_);
  const std::string_view header = line;
  const std::size_t semicolon = header.find(';');
  const std::string_view size = header.substr(0, semicolon);
  const auto bytes = base::parse_uint64(size, 16);
  if (!bytes) refuse("a chunk's size is not a hex number");
  chunk_left_ = *bytes;
  if (chunk_left_ > decoded_size_ - given_) {
    refuse("it has more than the " + std::to_string(decoded_size_) +
           " bytes of X-Amz-Decoded-Content-Length");
  }
  given_ += chunk_left_;
  if (is_signed()) {
    constexpr std::string_view kName = "chunk-signature=";
    const std::string_view extension =
        semicolon == std::string_view::npos ? "" : header.substr(semicolon + 1);
    if (!extension.starts_with(kName)) refuse("a chunk has no chunk-signature");
    chunk_signature_ = extension.substr(kName.size());
    chunk_digest_ = trust::Sha256Stream();
  }
  if (chunk_left_ > 0) {
    state_ = State::data;
  } else {
    end_chunk();
    state_ = State::trailer;
  }
}

void AwsChunkedDecoder::end_chunk() {
  if (!is_signed()) return;
  check_signature("PAYLOAD", trust::sha256_hex("") + "\n" + base::to_hex(chunk_digest_.finish()),
                  chunk_signature_);
}

void AwsChunkedDecoder::read_trailer_line() {
  std::string line;
  line.swap(line_);
  if (line.empty()) {
    end_trailer();
    state_ = State::done;
    return;
  }
  trailer_bytes_ += line.size();
  if (trailer_bytes_ > kMaxTrailer) refuse("its trailing headers are too long");
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos || colon == 0) refuse("a trailing header has no name");
  const std::string_view value = base::trim(std::string_view(line).substr(colon + 1));
  trailer_.add(base::to_lower(std::string_view(line).substr(0, colon)), std::string(value));
}

void AwsChunkedDecoder::end_trailer() {
  if (form_ != AwsChunkedForm::signed_trailer) return;
  const std::string signature(trailer_.find(kTrailerSignature).value_or(""));
  trailer_.remove(kTrailerSignature);
  auto fields = trailer_.fields();
  std::ranges::stable_sort(fields, {}, [](const auto& field) { return field.first; });
  std::string canonical;
  for (const auto& [name, value] : fields) canonical.append(name + ":" + value + "\n");
  check_signature("TRAILER", trust::sha256_hex(canonical), signature);
}

void AwsChunkedDecoder::check_signature(std::string_view kind, std::string_view content_part,
                                        std::string_view signature) {
  std::string to_sign = "AWS4-HMAC-SHA256-";
  to_sign.append(kind).append("\n").append(signing_.amz_date).append("\n");
  to_sign.append(signing_.scope).append("\n").append(signing_.seed_signature).append("\n");
  to_sign.append(content_part);
  const std::string expected = base::to_hex(trust::hmac_sha256(text_of(signing_.key), to_sign));
  if (!trust::equal_in_constant_time(expected, signature)) {
    throw Error(ErrorCode::unauthenticated,
                "the signature of a chunk of the body does not match its content");
  }
  signing_.seed_signature = expected;
}

Headers AwsChunkedDecoder::finish() {
  if (state_ != State::done) refuse("it ends before its last chunk");
  if (given_ != decoded_size_) {
    refuse("it has " + std::to_string(given_) + " bytes, but X-Amz-Decoded-Content-Length is " +
           std::to_string(decoded_size_));
  }
  return std::move(trailer_);
}

Headers decode_body(const Body& body, AwsChunkedDecoder& decoder,
                    const AwsChunkedDecoder::Sink& sink) {
  std::vector<char> buffer(
      static_cast<std::size_t>(std::clamp<std::uint64_t>(body.size(), 1, 256U << 10U)));
  for (std::uint64_t offset = 0; offset < body.size();) {
    const std::size_t got = body.read_at(offset, buffer.data(), buffer.size());
    decoder.feed({buffer.data(), got}, sink);
    offset += got;
  }
  return decoder.finish();
}

}  // namespace andon::wire
