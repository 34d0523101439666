// SPDX-License-Identifier: Apache-2.0
#include "api/s3/body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/s3/format/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "trust/digests/digest.hpp"
#include "wire/aws/aws_chunked.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMd5Bytes = 16;
constexpr std::size_t kPieceBytes = 64U << 10U;

struct ExpectedChecksum {
  ChecksumAlgorithm algorithm;
  std::string value;  // base64, as the client sent it; empty until the trailer has come
  bool is_sent = true;
};

// x-amz-sdk-checksum-algorithm says which checksum will be there.
void check_announced(const S3Call& call, const std::optional<ExpectedChecksum>& found) {
  const auto name = call.header("x-amz-sdk-checksum-algorithm");
  if (!name) return;
  const auto algorithm = parse_algorithm_name(*name);
  if (!algorithm) {
    throw not_implemented("x-amz-sdk-checksum-algorithm: " + name->substr(0, 64) +
                          " is not supported: use CRC32, CRC32C, CRC64NVME or SHA256");
  }
  if (!found || found->algorithm != *algorithm) {
    throw S3Error(400, "InvalidRequest",
                  "x-amz-sdk-checksum-algorithm announces " + *name +
                      ", and there is no such x-amz-checksum- or x-amz-trailer header");
  }
}

std::optional<ExpectedChecksum> read_checksum_header(const S3Call& call) {
  std::optional<ExpectedChecksum> found;
  for (const ChecksumAlgorithm algorithm : kChecksumAlgorithms) {
    const auto value = call.header(header_name(algorithm));
    if (!value) continue;
    if (found) {
      throw S3Error(400, "InvalidRequest", "send one x-amz-checksum- header, not several");
    }
    found = ExpectedChecksum{algorithm, *value};
  }
  return found;
}

// A chunked body names its checksum first and sends it last, in the trailer.
std::optional<ExpectedChecksum> read_trailer_name(const S3Call& call) {
  const auto name = call.header("x-amz-trailer");
  if (!name) return std::nullopt;
  const auto algorithm = parse_checksum_header(*name);
  if (!algorithm) {
    throw S3Error(
        501, "NotImplemented",
        "the trailer '" + name->substr(0, 64) + "' is not supported: use CRC-32 or SHA-256");
  }
  return ExpectedChecksum{*algorithm, ""};
}

std::uint64_t read_decoded_size(const S3Call& call) {
  const std::string text = call.header("x-amz-decoded-content-length").value_or("");
  const auto size = base::parse_uint64(text);
  if (!size) {
    throw S3Error(411, "MissingContentLength",
                  "a chunked body needs X-Amz-Decoded-Content-Length with the size of its content");
  }
  return *size;
}

std::optional<std::string> read_content_md5(const S3Call& call) {
  const auto field = call.header("Content-MD5");
  if (!field) return std::nullopt;
  const auto bytes = base::from_base64(*field);
  if (!bytes || bytes->size() != kMd5Bytes) {
    throw S3Error(400, "InvalidDigest", "Content-MD5 is not the base64 of 16 bytes");
  }
  return base::to_hex(base::as_bytes(*bytes));
}

}  // namespace

struct S3Body::State {
  const wire::Body& body;
  std::uint64_t offset = 0;
  std::optional<wire::AwsChunkedDecoder> decoder;
  std::string decoded;  // by the decoder, not yet taken
  std::size_t decoded_taken = 0;
  bool is_finished = false;
  std::optional<std::string> expected_sha256;  // hex
  std::optional<std::string> expected_md5;     // hex
  std::optional<ExpectedChecksum> expected_checksum;
  std::optional<Checksum> checksum;
  std::map<std::string, std::string> verified;

  std::size_t read(char* buffer, std::size_t buffer_size) {
    const std::size_t count =
        decoder ? read_decoded(buffer, buffer_size) : read_raw(buffer, buffer_size);
    if (checksum) checksum->update({buffer, count});
    return count;
  }

  std::size_t read_raw(char* buffer, std::size_t buffer_size) {
    const std::size_t count = body.read_at(offset, buffer, buffer_size);
    offset += count;
    return count;
  }

  std::size_t read_decoded(char* buffer, std::size_t buffer_size) {
    while (decoded_taken == decoded.size() && !is_finished) decode_piece();
    const std::size_t count = decoded.copy(buffer, buffer_size, decoded_taken);
    decoded_taken += count;
    return count;
  }

  void decode_piece() {
    decoded.clear();
    decoded_taken = 0;
    std::string piece(kPieceBytes, '\0');
    piece.resize(read_raw(piece.data(), piece.size()));
    try {
      if (!piece.empty()) {
        decoder->feed(piece, [&](std::string_view bytes) { decoded += bytes; });
        return;
      }
      take_trailer(decoder->finish());
    } catch (const base::Error& error) {
      if (error.code() == base::ErrorCode::unauthenticated) {
        throw S3Error(403, "SignatureDoesNotMatch", error.message());
      }
      throw S3Error(400, "IncompleteBody", error.message());
    }
  }

  void take_trailer(const wire::Headers& trailer) {
    is_finished = true;
    if (!expected_checksum || !expected_checksum->is_sent || !expected_checksum->value.empty()) {
      return;
    }
    const auto value = trailer.find(header_name(expected_checksum->algorithm));
    if (!value) {
      throw S3Error(400, "MalformedTrailerError",
                    "the trailer lacks the checksum that X-Amz-Trailer announced");
    }
    expected_checksum->value = std::string(*value);
  }

  void check(const store::ContentDigests& digests) {
    if (expected_sha256 && *expected_sha256 != digests.sha256) {
      throw S3Error(400, "XAmzContentSHA256Mismatch",
                    "the body's SHA-256 is not the one in X-Amz-Content-Sha256");
    }
    if (expected_md5 && *expected_md5 != digests.md5) {
      throw S3Error(400, "BadDigest", "the body's MD5 is not the one in Content-MD5");
    }
    if (checksum) {
      const std::string name(header_name(expected_checksum->algorithm));
      const std::string value = checksum->finish();
      if (expected_checksum->is_sent && value != expected_checksum->value) {
        throw S3Error(400, "BadDigest", "the body's checksum is not the one in " + name);
      }
      verified[name] = value;
    }
  }
};

S3Body::S3Body(const S3Call& call, const BodyRules& rules)
    : state_(std::make_unique<State>(State{call.request.body})) {
  const wire::SignatureClaim& claim = call.identity.claim;
  const auto form = wire::aws_chunked_form(claim.payload_sha256);
  state_->expected_md5 = read_content_md5(call);
  if (!rules.ignore_checksum_headers) state_->expected_checksum = read_checksum_header(call);
  if (form) {
    state_->decoder.emplace(*form, read_decoded_size(call),
                            wire::chunk_signing(claim, call.identity.secret_access_key));
    if (!state_->expected_checksum) state_->expected_checksum = read_trailer_name(call);
  } else if (claim.payload_sha256 != wire::kUnsignedPayload) {
    state_->expected_sha256 = claim.payload_sha256;
  }
  if (!rules.ignore_checksum_headers) check_announced(call, state_->expected_checksum);
  if (rules.algorithm) {
    if (!state_->expected_checksum) {
      state_->expected_checksum = ExpectedChecksum{*rules.algorithm, "", false};
    } else if (state_->expected_checksum->algorithm != *rules.algorithm) {
      throw S3Error(
          400, "InvalidRequest",
          fmt::format("the upload was begun with {} checksums, and this part brings one in {}",
                      algorithm_name(*rules.algorithm),
                      algorithm_name(state_->expected_checksum->algorithm)));
    }
  }
  if (state_->expected_checksum) state_->checksum.emplace(state_->expected_checksum->algorithm);
}

S3Body::~S3Body() = default;

store::ByteSource S3Body::source() {
  return
      [state = state_.get()](char* buffer, std::size_t size) { return state->read(buffer, size); };
}

std::function<void(const store::ContentDigests&)> S3Body::check() {
  return [state = state_.get()](const store::ContentDigests& digests) { state->check(digests); };
}

const std::map<std::string, std::string>& S3Body::checksums() const {
  return state_->verified;
}

std::string read_checked_body(const S3Call& call, std::size_t max_bytes, const BodyRules& rules) {
  if (call.request.body.size() > max_bytes) {
    throw S3Error(
        400, "MaxMessageLengthExceeded",
        "the body of this request may have at most " + std::to_string(max_bytes) + " bytes");
  }
  S3Body body(call, rules);
  const store::ByteSource source = body.source();
  std::string text;
  std::string piece(kPieceBytes, '\0');
  while (const std::size_t count = source(piece.data(), piece.size())) {
    text.append(piece, 0, count);
  }
  trust::Md5Stream md5;
  md5.update(text);
  body.check()(
      {.sha256 = trust::sha256_hex(text), .md5 = base::to_hex(md5.finish()), .size = text.size()});
  return text;
}

}  // namespace andon::api
